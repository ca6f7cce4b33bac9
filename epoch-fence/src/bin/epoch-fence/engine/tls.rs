//! Encrypted connections: always with a certificate that is verified, and the name in it.

use alloc::sync::Arc;
use core::fmt::Display;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::postgres::Files;
use crate::exit::{FAILED, Failure};
use crate::name::harmless;

fn at(path: &str, why: impl Display) -> Failure {
    Failure::new(FAILED, why).during(harmless(path.as_ref()))
}

/// A client that trusts the certificates in a file, or those that the platform trusts, and shows its own if it has one.
pub(super) fn client(files: &Files) -> Result<ClientConfig, Failure> {
    let mut store = RootCertStore::empty();
    match &files.roots {
        Some(path) => {
            for certificate in CertificateDer::pem_file_iter(path).map_err(|why| at(path, why))? {
                store.add(certificate.map_err(|why| at(path, why))?).map_err(|why| at(path, why))?;
            }
            if store.is_empty() {
                return Err(at(path, "no certificate is in it"));
            }
        }
        // Those that cannot be read are left out; without any, no server is trusted.
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|why| Failure::new(FAILED, why))?
        .with_root_certificates(store);
    match (&files.certificate, &files.key) {
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(certificate), Some(key)) => {
            let chain = CertificateDer::pem_file_iter(certificate)
                .and_then(Iterator::collect)
                .map_err(|why| at(certificate, why))?;
            let private = PrivateKeyDer::from_pem_file(key).map_err(|why| at(key, why))?;
            builder.with_client_auth_cert(chain, private).map_err(|why| at(certificate, why))
        }
        _ => Err(Failure::new(FAILED, "sslcert and sslkey go together")),
    }
}
