//! Encrypted connections: always with a certificate that is verified, and the name in it.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::exit::{FAILED, Failure};
use crate::name::harmless;

/// A client that trusts the certificates in a file, or those that the platform trusts.
pub(super) fn client(roots: Option<&str>) -> Result<ClientConfig, Failure> {
    let mut store = RootCertStore::empty();
    match roots {
        Some(path) => {
            let fail =
                |why: &dyn core::fmt::Display| Failure::new(FAILED, why).during(harmless(path.as_ref()));
            for certificate in CertificateDer::pem_file_iter(path).map_err(|why| fail(&why))? {
                store.add(certificate.map_err(|why| fail(&why))?).map_err(|why| fail(&why))?;
            }
            if store.is_empty() {
                return Err(fail(&"no certificate is in it"));
            }
        }
        // Those that cannot be read are left out; without any, no server is trusted.
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = alloc::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|why| Failure::new(FAILED, why))?;
    Ok(builder.with_root_certificates(store).with_no_client_auth())
}
