//! Text of others in markup and in a script: what a log says must stay what it says.

use core::fmt::{self, Display, Write as _};

/// A text between tags, or in a quoted attribute.
///
/// Characters that XML has no place for, not even escaped, are replaced.
pub(super) struct Markup<'t>(pub(super) &'t str);

impl Display for Markup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            match char {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\t' | '\n' | '\r' => f.write_char(' ')?,
                // C0 but for those above, C1, and what is no character.
                '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                    f.write_char('\u{fffd}')?
                }
                // Marks that turn the direction of what follows, and so of what is not theirs.
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => f.write_char('\u{fffd}')?,
                _ => f.write_char(char)?,
            }
        }
        Ok(())
    }
}

/// A JSON string inside of a `script` element: it ends neither the string nor the element, whatever it is.
pub(super) struct ScriptString<'t>(pub(super) &'t str);

impl Display for ScriptString<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for char in self.0.chars() {
            match char {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '<' | '>' | '&' | '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
                    write!(f, "\\u{:04x}", u32::from(char))?;
                }
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => f.write_char('\u{fffd}')?,
                _ => f.write_char(char)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_markup_obeys_is_left() {
        let hostile = "</script><b a=\"x\" c='y'>&amp;\u{0}\u{202e}\u{ffff}\n";
        let escaped = Markup(hostile).to_string();
        assert_eq!(
            escaped,
            "&lt;/script&gt;&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;amp;\u{fffd}\u{fffd}\u{fffd} "
        );
    }

    #[test]
    fn a_string_in_a_script_is_json_and_ends_nothing() {
        let hostile = "</script><!--\"\\\n\u{2028}&\u{7f}\u{1f600}";
        let escaped = ScriptString(hostile).to_string();
        assert!(!escaped.contains(['<', '>', '&', '\n', '\u{2028}']), "{escaped}");
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), hostile);
    }
}
