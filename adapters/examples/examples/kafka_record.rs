//! A stamp in the header of a Kafka record, as bytes with a version: encoded and decoded by the library that speaks Kafka's
//! protocol. No server is asked: a broker hands a batch on as it is.
//!
//! A topic is kept longer than a program lives, so that a reader meets what older and newer ones have written. That is what
//! the envelope's version byte is for.

use core::error::Error;
use std::io::{self, Write as _};

use bytes::{Bytes, BytesMut};
use hlc::{AtomicClock, DecodeError, NodeId, Source, Stamp, Timestamp, source::ManualSource};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression, NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, Record, RecordBatchDecoder,
    RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};

const HEADER: &str = "hlc-stamp";

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A record with these bytes, if any, in its header; records of one batch are numbered without a gap.
fn record(number: i32, header: Option<Bytes>, value: &'static str) -> Record {
    let mut record = Record {
        transactional: false,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
        producer_id: NO_PRODUCER_ID,
        producer_epoch: NO_PRODUCER_EPOCH,
        timestamp_type: TimestampType::Creation,
        offset: number.into(),
        sequence: number,
        timestamp: 1_700_000_000_000,
        key: None,
        value: Some(Bytes::from_static(value.as_bytes())),
        headers: Default::default(),
    };
    if header.is_some() {
        record.headers.insert(StrBytes::from_static_str(HEADER), header);
    }
    record
}

fn encode(records: &[Record]) -> Outcome<Bytes> {
    let mut batch = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    RecordBatchEncoder::encode(&mut batch, records, &options)?;
    Ok(batch.freeze())
}

/// The stamp in a record, if it has one.
fn stamp_of(record: &Record) -> Result<Option<Stamp>, DecodeError> {
    match record.headers.get(&StrBytes::from_static_str(HEADER)) {
        // A header without a value is one of no bytes.
        Some(value) => Stamp::from_envelope(value.as_deref().unwrap_or_default()).map(Some),
        None => Ok(None),
    }
}

/// The stamp of a record's receipt; after an error the clock is as it was.
fn receive<S: Source>(clock: &AtomicClock<S>, record: &Record) -> Outcome<Timestamp> {
    match stamp_of(record)? {
        Some(sent) => Ok(clock.observe(sent.timestamp())?),
        None => Ok(clock.tick()?),
    }
}

fn main() -> Outcome<()> {
    let producer = AtomicClock::new(ManualSource::at_millis(1_700_000_000_400));
    let consumer = AtomicClock::new(ManualSource::at_millis(1_700_000_000_000));
    let sent = [producer.tick()?, producer.tick()?].map(|stamp| stamp.at_node(NodeId::MIN));
    let [first, second] = sent.map(|stamp| Some(Bytes::copy_from_slice(&stamp.to_envelope())));
    let mut batch =
        encode(&[record(0, first, "ordered"), record(1, second, "paid"), record(2, None, "old")])?;

    let records = RecordBatchDecoder::decode(&mut batch)?.records;
    let heard: Vec<_> = records.iter().map(stamp_of).collect::<Result<_, _>>()?;
    assert_eq!(heard, [Some(sent[0]), Some(sent[1]), None]);
    let received: Vec<_> =
        records.iter().map(|record| receive(&consumer, record)).collect::<Result<_, _>>()?;
    assert!(received.is_sorted() && received.first() > Some(&sent[0].timestamp()));
    assert!(
        received.get(1) > Some(&sent[1].timestamp()),
        "although the consumer's wall clock is 400 ms behind"
    );
    for (record, (sent, received)) in records.iter().zip(heard.iter().zip(&received)) {
        let sent = sent.map_or_else(|| "without a stamp".to_owned(), |stamp| stamp.to_string());
        writeln!(io::stdout(), "record {}, sent {sent}, received {received}", record.offset)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_in_a_record_orders_its_receipt_after_what_was_sent() {
        main().unwrap();
    }

    #[test]
    fn a_header_of_a_later_version_is_told_from_a_damaged_one_and_neither_moves_the_clock() {
        let clock = AtomicClock::new(ManualSource::at_millis(1_700_000_000_000));
        let before = clock.last();
        let whole = Timestamp::from_parts(1_700_000_000_000, 7).unwrap().at_node(NodeId::MAX).to_envelope();
        let mut later = whole.to_vec();
        later[0] = 2;
        later.extend([0; 8]);
        let year_2500 = Timestamp::from_parts(16_725_225_600_000, 0).unwrap().at_node(NodeId::MIN);
        let rows: [(Vec<u8>, &str); 7] = [
            (later, "version 2"),
            (whole[..16].to_vec(), "16 bytes"),
            (whole[1..].to_vec(), "16 bytes"),
            (vec![], "0 bytes"),
            ([&[1][..], &[0; 16]].concat(), "zero"),
            ([&[1][..], &[0xff; 16]].concat(), "58 bits"),
            (year_2500.to_envelope().to_vec(), "ahead of the local physical clock"),
        ];
        for (header, why) in rows {
            let batch = encode(&[record(0, Some(header.into()), "hostile")]).unwrap();
            let records = RecordBatchDecoder::decode(&mut batch.clone()).unwrap().records;
            let refused = receive(&clock, &records[0]).unwrap_err().to_string();
            assert!(refused.contains(why), "{why}: {refused}");
            assert_eq!(clock.last(), before, "{why}");
        }
        assert!(receive(&clock, &record(0, Some(Bytes::copy_from_slice(&whole)), "whole")).is_ok());
    }
}
