//! What a catalog's folder holds: which definition and source its segments were made of, and where they are.

use crate::codec::{Reader, Writer};
use crate::files::{self, read_error};
use crate::process::{HierarchyData, Times};
use crate::segment::CodeMap;
use crate::segment_file::{SegmentLayout, map};
use crate::version::{GroupData, PlacedSegment};
use facetta_model::catalog::Dimension;
use facetta_model::definition::Definition;
use facetta_model::{MemberId, Result, bail, error};
use serde::{Deserialize, Serialize};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Changes when files of an older program can no longer be read: they are then loaded again from their source.
const FORMAT: u32 = 1;

const FILE: &str = "manifest.json";
const MEMBERS: &str = "members";

/// A stored version of a catalog.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    format: u32,
    /// The folder of the version's files.
    pub(crate) folder: String,
    /// Hash of the definition.
    pub(crate) definition: String,
    /// What the source looked like.
    pub(crate) source: Vec<TableFingerprint>,
    schema_time: String,
    data_time: String,
    groups: Vec<GroupLayout>,
}

/// What a table of the source looked like when it was loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableFingerprint {
    pub(crate) table: String,
    /// Size and time of its file, where it has one.
    pub(crate) stamp: Option<Stamp>,
    /// Hash of its bytes, or what its maker says.
    pub(crate) hash: String,
}

/// Size and time of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) bytes: u64,
    /// Nanoseconds since 1970.
    pub(crate) modified: u64,
    /// Written so shortly before it was read that a later change could have the same time: only the hash tells.
    pub(crate) fresh: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct GroupLayout {
    path_columns: Vec<Vec<Option<usize>>>,
    scales: Vec<Option<u8>>,
    rows: u64,
    segments: Vec<SegmentLayout>,
    /// For each segment the maps of its columns.
    maps: Vec<Vec<MapLayout>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum MapLayout {
    Range(Range<u32>),
    Listed(Vec<u32>),
}

impl From<&CodeMap> for MapLayout {
    fn from(map: &CodeMap) -> Self {
        match map {
            CodeMap::Range(range) => MapLayout::Range(range.clone()),
            CodeMap::Listed(members) => MapLayout::Listed(members.iter().map(|m| m.0).collect()),
        }
    }
}

impl From<&MapLayout> for CodeMap {
    fn from(map: &MapLayout) -> Self {
        match map {
            MapLayout::Range(range) => CodeMap::Range(range.clone()),
            MapLayout::Listed(members) => CodeMap::Listed(members.iter().map(|m| MemberId(*m)).collect()),
        }
    }
}

/// A stored version, read back.
pub(crate) struct Stored {
    pub(crate) dimensions: Vec<Vec<HierarchyData>>,
    pub(crate) groups: Vec<GroupData>,
    pub(crate) times: Times,
}

/// The hash of a definition.
pub(crate) fn definition_hash(definition: &Definition) -> Result<String> {
    let text = serde_json::to_vec(definition).map_err(|e| error!(Internal, "a definition cannot be written: {e}"))?;
    Ok(blake3::hash(&text).to_hex().to_string())
}

impl Manifest {
    /// The manifest of a catalog's folder; none if there is none, or none that this program can read.
    pub(crate) fn read(folder: &Path) -> Option<Manifest> {
        let bytes = fs::read(folder.join(FILE)).ok()?;
        match serde_json::from_slice::<Manifest>(&bytes) {
            Ok(manifest) if manifest.format == FORMAT => Some(manifest),
            Ok(manifest) => {
                tracing::info!(format = manifest.format, "stored files of another format are loaded again");
                None
            }
            Err(e) => {
                tracing::warn!(error = %e, "a manifest cannot be read; the catalog is loaded again");
                None
            }
        }
    }

    /// Makes this the manifest of a catalog's folder: the commit of a version.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let text =
            serde_json::to_vec_pretty(self).map_err(|e| error!(Internal, "a manifest cannot be written: {e}"))?;
        files::replace(&folder.join(FILE), &text)
    }

    /// Removes what no manifest names.
    pub(crate) fn clean(folder: &Path, keep: Option<&str>) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let is_version = name.to_string_lossy().starts_with('v') && entry.path().is_dir();
            if is_version && keep.is_none_or(|k| name != k) {
                // What cannot be removed now (a mapped file on some systems) is removed another time.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    /// A folder for the next version's files.
    pub(crate) fn next_folder(catalog: &Path, last: Option<&Manifest>) -> String {
        let last = last.and_then(|m| m.folder.strip_prefix('v')?.parse::<u64>().ok()).unwrap_or(0);
        let free = (last + 1..).find(|n| !catalog.join(format!("v{n}")).exists());
        format!("v{}", free.unwrap_or(last + 1))
    }

    /// Writes the members, and puts a manifest together. Segments are on disk already.
    pub(crate) fn of_version(
        catalog: &Path,
        folder: String,
        (dimensions, groups): (&[Arc<Dimension>], &[Arc<GroupData>]),
        layouts: Vec<SegmentLayout>,
        times: Times,
    ) -> Result<Manifest> {
        let mut writer = Writer::default();
        dimensions.iter().flat_map(|d| &d.hierarchies).for_each(|h| writer.hierarchy(h));
        for group in groups {
            writer.u32(group.distinct_values.len() as u32);
            group.distinct_values.iter().for_each(|v| writer.column(v));
        }
        let version = catalog.join(&folder);
        files::write(&version.join(MEMBERS), &writer.finish())?;
        files::sync_folder(&version)?;
        let mut layouts = layouts.into_iter();
        let groups = groups.iter().map(|group| GroupLayout {
            path_columns: group.path_columns.clone(),
            scales: group.scales.clone(),
            rows: group.rows,
            segments: layouts.by_ref().take(group.segments.len()).collect(),
            maps: group.segments.iter().map(|s| s.maps.iter().map(MapLayout::from).collect()).collect(),
        });
        Ok(Manifest {
            format: FORMAT,
            folder,
            definition: String::new(),
            source: Vec::new(),
            schema_time: times.schema.to_string(),
            data_time: times.data.to_string(),
            groups: groups.collect(),
        })
    }

    /// When the catalog last changed.
    pub(crate) fn times(&self) -> Result<Times> {
        let parse = |text: &str| text.parse().map_err(|_| error!(Io, "a manifest has a bad time"));
        Ok(Times { schema: parse(&self.schema_time)?, data: parse(&self.data_time)? })
    }

    /// Maps the segments and reads the members.
    pub(crate) fn open(&self, catalog: &Path, definition: &Definition) -> Result<Stored> {
        let folder: PathBuf = catalog.join(&self.folder);
        let path = folder.join(MEMBERS);
        let bytes = fs::read(&path).map_err(|e| read_error(&path, e))?;
        let mut reader = Reader::checked(&bytes)?;
        let mut dimensions = Vec::new();
        for dimension in &definition.dimensions {
            let read: Result<Vec<HierarchyData>> =
                dimension.hierarchies.iter().map(|h| reader.hierarchy(h.levels.len())).collect();
            dimensions.push(read?);
        }
        if self.groups.len() != definition.measure_groups.len() {
            bail!(Io, "a manifest has another number of measure groups");
        }
        let mut groups = Vec::new();
        for (layout, def) in self.groups.iter().zip(&definition.measure_groups) {
            let count = reader.count(1)?;
            let distinct_values: Result<Vec<_>> = (0..count).map(|_| reader.column()).collect();
            let mut segments: Vec<PlacedSegment> = Vec::new();
            let mut last: Option<(&Vec<MapLayout>, Arc<[CodeMap]>)> = None;
            for (segment, maps) in layout.segments.iter().zip(&layout.maps) {
                // Segments with the same maps share them, and with them the tables of every plan.
                let shared = match &last {
                    Some((known, shared)) if *known == maps => shared.clone(),
                    _ => maps.iter().map(CodeMap::from).collect(),
                };
                last = Some((maps, shared.clone()));
                segments.push(PlacedSegment { segment: Arc::new(map(&folder, segment)?), maps: shared });
            }
            groups.push(GroupData {
                path_columns: layout.path_columns.clone(),
                link_names: def.links.iter().map(|l| l.name.clone()).collect(),
                segments,
                scales: layout.scales.clone(),
                distinct_values: distinct_values?.into(),
                rows: layout.rows,
            });
        }
        Ok(Stored { dimensions, groups, times: self.times()? })
    }
}
