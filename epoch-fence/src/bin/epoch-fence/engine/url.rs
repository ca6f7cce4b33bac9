//! The parts of a URL that are this program's own business.

use percent_encoding::percent_decode_str;

use crate::exit::{FAILED, Failure};

/// Takes the named parameters out of a URL: the rest of it, and what they say, in the order of `names`.
#[cfg(feature = "postgres")]
pub(super) fn split_parameters<const N: usize>(
    url: &str,
    names: [&str; N],
) -> Result<(String, [Option<String>; N]), Failure> {
    let mut found = [const { None }; N];
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let mut rest = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match names.iter().position(|own| *own == name).and_then(|at| found.get_mut(at)) {
            Some(place) => *place = Some(decoded(value)?),
            None => rest.push(pair),
        }
    }
    let mark = if rest.is_empty() { "" } else { "?" };
    Ok((format!("{base}{mark}{}", rest.join("&")), found))
}

/// A part of a URL as it was meant.
pub(super) fn decoded(part: &str) -> Result<String, Failure> {
    let text = percent_decode_str(part).decode_utf8();
    text.map(Into::into).map_err(|_| Failure::new(FAILED, "the URL of the engine is not UTF-8"))
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;

    #[test]
    fn own_parameters_are_taken_out_and_the_others_stay() {
        let url = "postgres://a@b/c?sslmode=require&namespace=x%20y&connect_timeout=3";
        let (rest, [namespace, root]) = split_parameters(url, ["namespace", "sslrootcert"]).unwrap();
        assert_eq!(rest, "postgres://a@b/c?sslmode=require&connect_timeout=3");
        assert_eq!((namespace.as_deref(), root), (Some("x y"), None));
        let (rest, [none]) = split_parameters("postgres://b/c?namespace=%FF", ["other"]).unwrap();
        assert_eq!((rest.as_str(), none), ("postgres://b/c?namespace=%FF", None));
        assert!(split_parameters("postgres://b/c?namespace=%FF", ["namespace"]).is_err());
    }
}
