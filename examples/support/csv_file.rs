//! Reads samples from CSV: `N` numbers a line, then the number of the class. Numbers need no quotes, so lines are
//! split at their commas, and errors name the very line and column.

use super::read_error::ReadError;
use super::samples::Samples;
use chainrule::Class;
use std::io::BufRead;

/// All samples of a CSV file without a header; blank lines are skipped. `file` is its name in errors.
///
/// # Errors
///
/// [`ReadError`], with line and column, when the file cannot be read, has no lines, or a line has another number of
/// fields, a field that is no finite number, or a label that is no class.
pub fn read<const N: usize, const K: usize>(file: &str, data: impl BufRead) -> Result<Samples<N, K>, ReadError> {
    let error = |place: String, expected: &str, found: String| {
        let (file, expected) = (file.to_owned(), expected.to_owned());
        ReadError { file, place, expected, found }
    };
    let mut samples = Samples::new();
    for (line, text) in (1..).zip(data.lines()) {
        let text = text.map_err(|cause| error(format!("line {line}"), "a line of text", cause.to_string()))?;
        if text.trim().is_empty() {
            continue;
        }
        let fields: Vec<&str> = text.split(',').map(str::trim).collect();
        let (label, numbers) = fields.split_last().unwrap_or((&"", &[]));
        if numbers.len() != N {
            let expected = format!("{} fields, {N} numbers and a label", N + 1);
            return Err(error(format!("line {line}"), &expected, fields.len().to_string()));
        }
        let mut input = [0.0; N];
        for (column, (x, field)) in (1..).zip(input.iter_mut().zip(numbers)) {
            *x = field.parse().ok().filter(|x: &f32| x.is_finite()).ok_or_else(|| {
                error(format!("line {line}, column {column}"), "a finite number", format!("\"{field}\""))
            })?;
        }
        let class = label.parse::<i64>().ok().and_then(|label| Class::try_from(label).ok()).ok_or_else(|| {
            let expected = format!("a label from 0 to {}", K - 1);
            error(format!("line {line}, column {}", N + 1), &expected, format!("\"{label}\""))
        })?;
        samples.push(input, class);
    }
    if samples.inputs.is_empty() {
        return Err(error(String::new(), "at least one line", "none".to_owned()));
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Samples<2, 3>, String> {
        read("points.csv", text.as_bytes()).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn assert_error(text: &str, message: &str) {
        assert_eq!(read_text(text), Err(message.to_owned()));
    }

    #[test]
    fn numbers_and_labels_arrive() {
        let samples = read_text("1,2.5,0\n\n -3 , 4e2,2\r\n").unwrap();
        assert_eq!(samples.inputs, [[1.0, 2.5], [-3.0, 400.0]]);
        assert_eq!(samples.targets.iter().map(|class| class.index()).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(read_text("1,2,0"), read_text("1,2,0\n"));
    }

    #[test]
    fn a_wrong_number_of_fields_names_the_line() {
        assert_error("1,2,0\n1,2\n", "points.csv, line 2: expected 3 fields, 2 numbers and a label, found 2");
        assert_error("1,2,0,\n", "points.csv, line 1: expected 3 fields, 2 numbers and a label, found 4");
        assert_error("1,2,0\n\n\n1\n", "points.csv, line 4: expected 3 fields, 2 numbers and a label, found 1");
    }

    #[test]
    fn what_is_no_number_names_line_and_column() {
        assert_error("1,2,0\n1,x,0\n", "points.csv, line 2, column 2: expected a finite number, found \"x\"");
        assert_error("1,2,0\n,1,0\n", "points.csv, line 2, column 1: expected a finite number, found \"\"");
        assert_error("NaN,1,0\n", "points.csv, line 1, column 1: expected a finite number, found \"NaN\"");
        assert_error("1e39,1,0\n", "points.csv, line 1, column 1: expected a finite number, found \"1e39\"");
    }

    #[test]
    fn a_label_that_is_no_class_names_line_and_column() {
        for label in ["3", "-1", "1.0", "", "99999999999999999999"] {
            let message = format!("points.csv, line 1, column 3: expected a label from 0 to 2, found \"{label}\"");
            assert_error(&format!("1,2,{label}\n"), &message);
        }
    }

    #[test]
    fn an_empty_file_is_an_error() {
        assert_error("", "points.csv: expected at least one line, found none");
        assert_error("\n\n", "points.csv: expected at least one line, found none");
    }

    #[test]
    fn what_is_no_text_names_the_line() {
        let error = read::<2, 3>("points.csv", &b"1,2,0\n1,\xff,0\n"[..]).unwrap_err().to_string();
        assert!(error.starts_with("points.csv, line 2: expected a line of text, found "), "{error}");
    }

    #[test]
    fn a_truncated_archive_is_an_error() {
        let decompress = |archive| std::io::BufReader::new(flate2::read::GzDecoder::new(archive));
        let archive: &[u8] = include_bytes!("../data/digits.csv.gz");
        let whole = read::<64, 10>("digits.csv.gz", decompress(archive)).unwrap();
        assert_eq!(whole.inputs.len(), 1797);
        let half = &archive[..archive.len() / 2];
        let error = read::<64, 10>("digits.csv.gz", decompress(half)).unwrap_err().to_string();
        assert!(error.starts_with("digits.csv.gz, line ") && error.contains("expected a line of text"), "{error}");
    }
}
