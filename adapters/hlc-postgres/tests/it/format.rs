//! FORMAT.md tells the truth.

use hlc::{
    NodeId, Packed, Timestamp,
    layout::{Layout, Micros52, Millis42Y2022, Millis46, Ntp48, Ntp60, Secs32, Unix48},
};
use hlc_postgres::BigintTimestamp;

const FORMAT: &str = include_str!("../../FORMAT.md");

/// The rows of the table under a heading, their cells without back quotes.
fn table(title: &str) -> Vec<Vec<String>> {
    let (_, section) =
        FORMAT.split_once(&format!("\n## {title}\n")).unwrap_or_else(|| panic!("no section {title}"));
    let lines =
        section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells =
        |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
    lines.skip(2).map(cells).collect()
}

#[test]
fn the_last_days_of_the_format_are_those_of_the_layouts() {
    fn row<L: Layout>() -> [String; 2] {
        let last = BigintTimestamp::<L>::MAX.timestamp();
        assert_eq!(last.to_bits(), i64::MAX.cast_unsigned());
        [L::NAME.to_owned(), last.human().to_string()[..10].to_owned()]
    }
    let rows = [
        row::<Unix48>(),
        row::<Micros52>(),
        row::<Ntp48>(),
        row::<Ntp60>(),
        row::<Millis46>(),
        row::<Millis42Y2022>(),
        row::<Secs32>(),
    ];
    assert_eq!(table("The end of bigint"), rows);
}

#[test]
fn the_years_of_the_crate_page_are_those_of_the_layouts() {
    fn year<L: Layout>() -> String {
        let past = Packed::<L>::from_bits(1 << 63).unwrap();
        past.human().to_string()[..4].to_owned()
    }
    let years = [year::<Unix48>(), year::<Ntp48>(), year::<Ntp60>(), year::<Secs32>(), year::<Micros52>()];
    assert_eq!(years, ["6429", "2038", "2038", "2038", "2041"]);
}

#[test]
fn the_worked_examples_of_the_format_come_true() {
    let rows = table("Worked examples");
    assert_eq!(rows.len(), 5);
    for row in rows {
        let [physical, counter, node]: [u64; 3] = [0, 1, 2].map(|cell: usize| row[cell].parse().unwrap());
        let timestamp = Timestamp::from_parts(physical, counter.try_into().unwrap()).unwrap();
        let content = match row[3].as_str() {
            "uuid" => timestamp.at_node(NodeId::new(node).unwrap()).to_uuid().to_string(),
            "bigint" => BigintTimestamp::try_new(timestamp).unwrap().as_i64().to_string(),
            column => panic!("FORMAT.md has an example of {column}"),
        };
        assert_eq!(content, row[4], "{row:?}");
    }
}
