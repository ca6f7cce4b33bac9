//! Reads what an image logged through `defmt`: `clock-firmware-host IMAGE FRAMES`, one line a message.
//!
//! The strings are not in the frames but in the image: a message is a number and its arguments.

use std::{env, error::Error, fs};

use defmt_decoder::{DecodeError, Table};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(image), Some(frames)) = (arguments.next(), arguments.next()) else {
        return Err("say which image, and which frames".into());
    };
    let table = Table::parse(&fs::read(image)?)?.ok_or("the image logs nothing through defmt")?;
    let mut decoder = table.new_stream_decoder();
    decoder.received(&fs::read(frames)?);
    loop {
        match decoder.decode() {
            Ok(frame) => {
                println!("{}", frame.display_message())
            }
            Err(DecodeError::UnexpectedEof) => return Ok(()),
            Err(DecodeError::Malformed) => return Err("a frame is damaged".into()),
        }
    }
}
