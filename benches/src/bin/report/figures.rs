//! What criterion measured, by group and row.

use std::{
    collections::BTreeMap,
    fs, io,
    path::Path,
    time::{Duration, SystemTime},
};

use serde_json::Value;

/// One row, in nanoseconds a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    /// The median, and its interval of confidence.
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// What a tenth of the samples stayed below: the row with the least of the machine's other work in it.
    pub(crate) fast: f64,
    pub(crate) measured: SystemTime,
}

/// All rows of all groups.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    groups: BTreeMap<String, BTreeMap<String, Figure>>,
}

impl Figures {
    /// Reads each `estimates.json` below a folder.
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        let mut figures = Self::default();
        figures.walk(folder)?;
        if figures.groups.is_empty() {
            return Err(io::Error::other(format!("criterion has left nothing in {}", folder.display())));
        }
        Ok(figures)
    }

    fn walk(&mut self, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if !path.is_dir() {
                continue;
            }
            if path.ends_with("new") {
                self.add(&path);
            } else {
                self.walk(&path)?;
            }
        }
        Ok(())
    }

    /// A folder without all three files was being written when its run was stopped.
    fn add(&mut self, folder: &Path) -> Option<()> {
        let name = json(&folder.join("benchmark.json"))?;
        let file = folder.join("estimates.json");
        let estimates = json(&file)?;
        let median = estimates.get("median")?;
        let interval = median.get("confidence_interval")?;
        let figure = Figure {
            median: median.get("point_estimate")?.as_f64()?,
            low: interval.get("lower_bound")?.as_f64()?,
            high: interval.get("upper_bound")?.as_f64()?,
            fast: fast(&json(&folder.join("sample.json"))?)?,
            measured: fs::metadata(&file).and_then(|file| file.modified()).ok()?,
        };
        let group = name.get("group_id")?.as_str()?.to_owned();
        let row = name.get("function_id")?.as_str()?.to_owned();
        self.groups.entry(group).or_default().insert(row, figure);
        Some(())
    }

    pub(crate) fn get(&self, group: &str, row: &str) -> Option<Figure> {
        self.groups.get(group)?.get(row).copied()
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, Figure>)> {
        self.groups.iter().map(|(name, rows)| (name.as_str(), rows))
    }

    pub(crate) fn len(&self) -> usize {
        self.groups.values().map(BTreeMap::len).sum()
    }

    /// When the first row was measured, and how long after it the last one.
    pub(crate) fn span(&self) -> Option<(SystemTime, Duration)> {
        let times = || self.groups.values().flat_map(BTreeMap::values).map(|figure| figure.measured);
        let first = times().min()?;
        Some((first, times().max()?.duration_since(first).unwrap_or_default()))
    }
}

fn json(file: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

/// The tenth percentile of the samples.
#[expect(clippy::float_arithmetic, reason = "nanoseconds a call, for people")]
fn fast(sample: &Value) -> Option<f64> {
    let (counts, times) = (sample.get("iters")?.as_array()?, sample.get("times")?.as_array()?);
    let each = |(time, count): (&Value, &Value)| Some(time.as_f64()? / count.as_f64()?);
    let mut samples: Vec<f64> = times.iter().zip(counts).filter_map(each).collect();
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 10).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_by_its_group_and_name_and_an_unfinished_one_is_not() {
        let folder = std::env::temp_dir().join(format!("figures-{}", std::process::id()));
        for name in ["one", "unfinished"] {
            let row = folder.join("group").join(name).join("new");
            fs::create_dir_all(&row).unwrap();
            let id = format!(r#"{{"group_id":"a/group","function_id":"{name}"}}"#);
            fs::write(row.join("benchmark.json"), id).unwrap();
            let median = r#"{"median":{"point_estimate":5.0,"confidence_interval":{"lower_bound":4.0,"upper_bound":6.0}}}"#;
            fs::write(row.join("estimates.json"), median).unwrap();
            if name == "one" {
                fs::write(row.join("sample.json"), r#"{"iters":[10,20,30],"times":[50,60,150]}"#).unwrap();
            }
        }
        let figures = Figures::read(&folder);
        fs::remove_dir_all(&folder).unwrap();

        let figures = figures.unwrap();
        assert_eq!(figures.len(), 1);
        let figure = figures.get("a/group", "one").unwrap();
        let found = [figure.low, figure.median, figure.high, figure.fast];
        assert_eq!(found.map(|nanos| nanos.to_string()), ["4", "5", "6", "3"]);
    }
}
