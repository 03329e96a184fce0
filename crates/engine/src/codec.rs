//! Members and values of distinct columns as bytes, and back; whatever the bytes are, reading them never panics.

use crate::process::{HierarchyData, LevelData};
use facetta_model::catalog::Hierarchy;
use facetta_model::{
    ColumnType, Error, MemberId, MemberParts, MemberTable, Result, Strings, ValueColumn, ValueData, bail,
};
use jiff::civil::DateTime;

/// Bytes of the hash at the end.
const HASH: usize = 32;

/// Appends numbers and texts, little-endian.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

/// Takes off what a [`Writer`] has appended.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl Writer {
    pub(crate) fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn text(&mut self, value: &str) {
        self.u32(value.len() as u32);
        self.bytes.extend_from_slice(value.as_bytes());
    }

    pub(crate) fn strings(&mut self, strings: impl ExactSizeIterator<Item: AsRef<str>>) {
        self.u32(strings.len() as u32);
        strings.for_each(|s| self.text(s.as_ref()));
    }

    fn flags(&mut self, flags: Option<impl ExactSizeIterator<Item = bool>>) {
        match flags {
            None => self.u8(0),
            Some(flags) => {
                self.u8(1);
                self.u32(flags.len() as u32);
                flags.for_each(|f| self.u8(u8::from(f)));
            }
        }
    }

    /// A column of values.
    pub(crate) fn column(&mut self, column: &ValueColumn) {
        match &column.data {
            ValueData::Int(v) => {
                self.u8(0);
                self.u32(v.len() as u32);
                v.iter().for_each(|i| self.u64(*i as u64));
            }
            ValueData::Double(v) => {
                self.u8(1);
                self.u32(v.len() as u32);
                v.iter().for_each(|d| self.u64(d.to_bits()));
            }
            ValueData::Boolean(v) => {
                self.u8(2);
                self.u32(v.len() as u32);
                v.iter().for_each(|b| self.u8(u8::from(*b)));
            }
            ValueData::Date(v) => {
                self.u8(3);
                self.strings(v.iter().map(DateTime::to_string));
            }
            ValueData::Str(v) => {
                self.u8(4);
                self.strings(v.iter());
            }
        }
        self.flags(column.nulls.as_ref().map(|n| n.iter().copied()));
    }

    /// A hierarchy's members.
    pub(crate) fn hierarchy(&mut self, hierarchy: &Hierarchy) {
        let members = &hierarchy.members;
        let ids = || (0..members.len() as u32).map(MemberId);
        self.u32(hierarchy.default_member.0);
        self.u8(u8::from(hierarchy.parent_child));
        self.u32(hierarchy.levels.len() as u32);
        for level in &hierarchy.levels {
            self.u32(level.members.start);
            self.u32(level.members.end);
            self.u8(type_number(&level.key_type));
            self.u32(level.properties.len() as u32);
            for property in &level.properties {
                self.u8(type_number(&property.data_type));
                self.column(&property.values);
            }
        }
        self.strings(ids().map(|m| members.name(m)).collect::<Vec<_>>().iter());
        let captioned = ids().any(|m| members.caption(m) != members.name(m));
        self.u8(u8::from(captioned));
        if captioned {
            self.strings(ids().map(|m| members.caption(m)).collect::<Vec<_>>().iter());
        }
        self.u32(members.keys().len() as u32);
        members.keys().iter().for_each(|k| self.column(k));
        self.u32(members.len() as u32);
        ids().for_each(|m| self.u32(members.parent(m).0));
        let hidden: Vec<bool> = ids().map(|m| members.is_hidden(m)).collect();
        self.flags(members.is_ragged().then(|| hidden.into_iter()));
    }

    /// The bytes without a hash.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The bytes, with their hash at the end.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let hash = blake3::hash(&self.bytes);
        self.bytes.extend_from_slice(hash.as_bytes());
        self.bytes
    }
}

fn damaged() -> Error {
    Error::new(facetta_model::ErrorKind::Io, "a stored file is damaged")
}

impl<'a> Reader<'a> {
    /// Of what [`Writer::finish`] gave, whose hash must be right.
    pub(crate) fn checked(bytes: &'a [u8]) -> Result<Reader<'a>> {
        let Some(at) = bytes.len().checked_sub(HASH) else { return Err(damaged()) };
        let (content, hash) = bytes.split_at(at);
        if blake3::hash(content).as_bytes() != hash {
            return Err(damaged());
        }
        Ok(Reader { bytes: content })
    }

    /// Of what [`Writer::into_bytes`] gave.
    pub(crate) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let Some((taken, rest)) = self.bytes.split_at_checked(count) else { return Err(damaged()) };
        self.bytes = rest;
        Ok(taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    pub(crate) fn u32(&mut self) -> Result<u32> {
        self.take(4)?.try_into().map(u32::from_le_bytes).map_err(|_| damaged())
    }

    pub(crate) fn u64(&mut self) -> Result<u64> {
        self.take(8)?.try_into().map(u64::from_le_bytes).map_err(|_| damaged())
    }

    /// A count of things of at least `size` bytes each: no more than the bytes that are left can hold.
    pub(crate) fn count(&mut self, size: usize) -> Result<usize> {
        let count = self.u32()? as usize;
        if count.saturating_mul(size) > self.bytes.len() {
            return Err(damaged());
        }
        Ok(count)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str> {
        let len = self.u32()? as usize;
        std::str::from_utf8(self.take(len)?).map_err(|_| damaged())
    }

    pub(crate) fn strings(&mut self) -> Result<Strings> {
        let count = self.count(4)?;
        let mut strings = Strings::with_capacity(count, 0);
        for _ in 0..count {
            strings.push(self.text()?);
        }
        Ok(strings)
    }

    fn flags(&mut self) -> Result<Option<Vec<bool>>> {
        if self.u8()? == 0 {
            return Ok(None);
        }
        let count = self.count(1)?;
        Ok(Some(self.take(count)?.iter().map(|b| *b != 0).collect()))
    }

    /// A column of values.
    pub(crate) fn column(&mut self) -> Result<ValueColumn> {
        let data = match self.u8()? {
            0 => ValueData::Int((0..self.count(8)?).map(|_| Ok(self.u64()? as i64)).collect::<Result<_>>()?),
            1 => {
                ValueData::Double((0..self.count(8)?).map(|_| Ok(f64::from_bits(self.u64()?))).collect::<Result<_>>()?)
            }
            2 => ValueData::Boolean((0..self.count(1)?).map(|_| Ok(self.u8()? != 0)).collect::<Result<_>>()?),
            3 => {
                let dates = self.strings()?;
                let parsed = dates.iter().map(|d| d.parse().map_err(|_| damaged()));
                ValueData::Date(parsed.collect::<Result<_>>()?)
            }
            4 => ValueData::Str(self.strings()?),
            _ => return Err(damaged()),
        };
        let nulls = self.flags()?;
        let column = ValueColumn { data, nulls };
        match &column.nulls {
            Some(nulls) if nulls.len() != column.len() => Err(damaged()),
            _ => Ok(column),
        }
    }

    /// A hierarchy's members.
    pub(crate) fn hierarchy(&mut self, defined_levels: usize) -> Result<HierarchyData> {
        let default_member = MemberId(self.u32()?);
        let parent_child = self.u8()? != 0;
        let mut levels = Vec::new();
        let mut next = 0;
        for _ in 0..self.count(13)? {
            let (start, end) = (self.u32()?, self.u32()?);
            if start != next || end < start {
                return Err(damaged());
            }
            next = end;
            let key_type = type_of(self.u8()?)?;
            let mut properties = Vec::new();
            for _ in 0..self.count(2)? {
                let property = (type_of(self.u8()?)?, self.column()?);
                if property.1.len() != (end - start) as usize {
                    return Err(damaged());
                }
                properties.push(property);
            }
            levels.push(LevelData { members: start..end, key_type, properties });
        }
        let names = self.strings()?;
        let captions = if self.u8()? != 0 { Some(self.strings()?) } else { None };
        let keys: Result<Vec<ValueColumn>> = (0..self.count(2)?).map(|_| self.column()).collect();
        let count = self.count(4)?;
        let parents: Result<Vec<MemberId>> = (0..count).map(|_| self.u32().map(MemberId)).collect();
        let hidden = self.flags()?;
        if next as usize != count || hidden.as_ref().is_some_and(|h| h.len() != count) {
            return Err(damaged());
        }
        let parts = MemberParts { names, captions, keys: keys?, parents: parents?, hidden };
        let members = MemberTable::new(parts).map_err(|_| damaged())?;
        Ok(HierarchyData { levels, defined_levels, default_member, parent_child, members })
    }
}

const TYPES: [ColumnType; 6] = [
    ColumnType::String,
    ColumnType::Boolean,
    ColumnType::Int,
    ColumnType::Long,
    ColumnType::Double,
    ColumnType::DateTime,
];

fn type_number(ty: &ColumnType) -> u8 {
    TYPES.iter().position(|t| t == ty).unwrap_or(0) as u8
}

fn type_of(number: u8) -> Result<ColumnType> {
    match TYPES.get(usize::from(number)) {
        Some(ty) => Ok(ty.clone()),
        None => bail!(Io, "a stored file is damaged"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_back() {
        let nulls = Some(vec![false, true]);
        let date: DateTime = "1997-01-01T10:00:00".parse().unwrap();
        let columns = [
            ValueColumn { data: ValueData::Int(vec![-1, 2]), nulls: None },
            ValueColumn { data: ValueData::Double(vec![0.5, f64::MAX]), nulls: nulls.clone() },
            ValueColumn { data: ValueData::Boolean(vec![true, false]), nulls: None },
            ValueColumn { data: ValueData::Date(vec![date, date]), nulls: nulls.clone() },
            ValueColumn { data: ValueData::Str(["a", "é"].into_iter().collect()), nulls },
        ];
        let mut writer = Writer::default();
        columns.iter().for_each(|c| writer.column(c));
        let bytes = writer.finish();
        let mut reader = Reader::checked(&bytes).unwrap();
        for column in &columns {
            assert_eq!(reader.column().unwrap(), *column);
        }
        assert!(reader.u8().is_err());
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let mut writer = Writer::default();
        writer.text("hello");
        let mut bytes = writer.finish();
        bytes[5] ^= 1;
        assert!(Reader::checked(&bytes).is_err());
        assert!(Reader::checked(&[1, 2, 3]).is_err());
        // A length that the bytes cannot hold.
        assert!(Reader::new(&[4, 255, 255, 255, 255]).column().is_err());
    }
}
