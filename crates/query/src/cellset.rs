//! A resolved query as a cell set: slicer, axes, and a source that evaluates cells block by block as they are pulled.

use crate::coordinate::{self, Place, place};
use crate::evaluate::{Batch, CHUNK, Column, Evaluator, Set, Values};
use crate::format::Format;
use facetta_model::{
    Axis, AxisHierarchy, AxisProperty, AxisTuples, CalculatedMember, CellBlock, CellProperty, CellSet, Context, Grain,
    HierarchyId, MemberId, Result, Scope, Strings, TupleSet, Value, bail,
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Cells whose subcubes are asked for together.
const WINDOW: u64 = 1 << 19;

/// Evaluates slicer and axes; the cells follow as they are pulled.
pub(crate) fn evaluate(evaluator: Evaluator) -> Result<CellSet> {
    let program = evaluator.program.clone();
    evaluator.apply_subselects()?;
    let slicer = evaluator.slicer()?;
    let mut sets = Vec::new();
    for axis in &program.axes {
        let set = evaluator.set_at(&axis.set, &evaluator.base())?;
        sets.push(evaluator.visible(set)?);
    }
    evaluator.check_independent(&sets, slicer.as_ref())?;
    let sets = evaluator.non_empty_axes(sets)?;
    let mut axes = Vec::new();
    for (set, plan) in sets.iter().zip(&program.axes) {
        let set = match &plan.having {
            Some(having) => evaluator.filter(set, &plan.set, having, &evaluator.base())?,
            None => set.clone(),
        };
        axes.push(set);
    }
    let is_empty_slicer = slicer.as_ref().is_some_and(Set::is_empty);
    let slicer_axis = evaluator.slicer_axis(slicer.as_ref(), &axes)?;
    let mut shown = Vec::new();
    for (set, plan) in axes.iter().zip(&program.axes) {
        let parts = set.parts().iter().map(|part| evaluator.shown(part)).collect::<Result<_>>()?;
        let tuples = AxisTuples::new(parts);
        let hierarchies = tuples.hierarchies().iter().map(|h| evaluator.axis_hierarchy(*h, &plan.properties)).collect();
        shown.push(Axis { hierarchies, tuples, properties_asked: !plan.properties.is_empty() });
    }
    let catalog = evaluator.snapshot.catalog().clone();
    let cube_name = evaluator.cube.name.clone();
    let cell_properties = program.cell_properties.clone();
    let members = evaluator.members();
    let mut cells = Cells::new(evaluator, &axes, is_empty_slicer);
    Ok(CellSet {
        cube_name,
        last_data_update: catalog.last_data_update,
        last_schema_update: catalog.last_schema_update,
        members,
        axes: shown,
        slicer: slicer_axis,
        cell_properties,
        cells: Box::new(move |context: &Context| cells.next(context)),
    })
}

impl Evaluator {
    /// Evaluates WHERE and makes it the coordinate from which everything starts.
    pub(crate) fn slicer(&self) -> Result<Option<Set>> {
        let program = self.program.clone();
        let Some(slicer) = &program.slicer else { return Ok(None) };
        let base = self.base();
        let set = self.set_at(slicer, &base)?;
        let mut at = base;
        if set.is_empty() {
            for h in set.hierarchies() {
                at.set_one(h.index(), MemberId::NULL);
            }
        } else {
            let adds_up = self.cube.compatibility.slicer_tuples_add_up();
            let seen = if adds_up { self.with_all_members(set.clone())? } else { set.clone() };
            if adds_up && self.overlaps(&seen)? {
                let (hierarchy, total) = crate::functions::special::total_over(self, &*seen.tuples(&self.context)?)?;
                at.set_one(hierarchy.index(), total);
            } else {
                self.narrow(&mut at, &seen)?;
            }
        }
        self.set_base(at);
        Ok(Some(set))
    }

    /// Sets whose hierarchies were not known before may still share one.
    fn check_independent(&self, sets: &[Set], slicer: Option<&Set>) -> Result<()> {
        let mut used: Vec<HierarchyId> = Vec::new();
        for set in sets.iter().chain(slicer).filter(|s| !s.is_empty()) {
            for h in set.hierarchies() {
                if used.contains(&h) {
                    let name = &self.cube.hierarchy(h).unique_name;
                    bail!(HierarchyTwice, "Hierarchy '{name}' appears in more than one independent axis.");
                }
                used.push(h);
            }
        }
        Ok(())
    }

    /// The axes without the tuples that NON EMPTY leaves out: of each in turn, at what is left of the others.
    fn non_empty_axes(&self, mut sets: Vec<Set>) -> Result<Vec<Set>> {
        let program = self.program.clone();
        if program.axes.iter().all(|a| !a.non_empty) {
            return Ok(sets);
        }
        // The shortest axis first: what it loses need not be looked at for the others.
        let mut order: Vec<usize> = (0..sets.len()).filter(|&i| program.axes[i].non_empty).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(sets[i].len()));
        for i in order {
            let others: Vec<Set> = sets.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, s)| s.clone()).collect();
            self.hint(&sets)?;
            sets[i] = self.non_empty(&sets[i], &others, &self.base())?;
        }
        self.subcubes.clear();
        Ok(sets)
    }

    /// Says which members the cells of these axes will ask for.
    fn hint(&self, sets: &[Set]) -> Result<()> {
        for set in sets {
            for part in set.parts() {
                for (position, h) in part.hierarchies.iter().enumerate() {
                    if part.len() > 1 {
                        self.hint_members(*h, part.iter().map(|t| t[position]))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn hint_members(&self, hierarchy: HierarchyId, members: impl Iterator<Item = MemberId>) -> Result<()> {
        if hierarchy == HierarchyId::MEASURES {
            return Ok(());
        }
        let table = &self.cube.hierarchy(hierarchy).hierarchy.members;
        let mut by_grain: FxHashMap<Grain, FxHashSet<MemberId>> = FxHashMap::default();
        let (mut step, mut last) = (0, None);
        for member in members {
            self.context.check_every(&mut step)?;
            // In a product most stand where they stood.
            if last.replace(member) == Some(member) {
                continue;
            }
            match place(member) {
                Place::Stored(m) => by_grain.entry(Grain::Depth(table.depth(m).min(255) as u8)).or_default().insert(m),
                Place::Own(m) => by_grain.entry(Grain::Own).or_default().insert(m),
                _ => continue,
            };
        }
        for (grain, members) in by_grain {
            self.subcubes.hint(hierarchy, grain, members);
        }
        Ok(())
    }

    /// Tuples as clients may see them: own data as a calculated look at its member.
    fn shown(&self, tuples: &TupleSet) -> Result<TupleSet> {
        let own = |m: &MemberId| matches!(place(*m), Place::Own(_));
        if !tuples.members.iter().any(own) {
            return Ok(tuples.clone());
        }
        let mut out = tuples.clone();
        let arity = out.arity();
        let mut made: FxHashMap<(usize, MemberId), MemberId> = FxHashMap::default();
        for i in 0..out.members.len() {
            let Place::Own(member) = place(out.members[i]) else { continue };
            let position = i % arity;
            let hierarchy = out.hierarchies[position];
            out.members[i] = *made.entry((position, member)).or_insert_with(|| self.own_look(hierarchy, member));
        }
        Ok(out)
    }

    fn own_look(&self, hierarchy: HierarchyId, member: MemberId) -> MemberId {
        let members = self.members();
        let look = CalculatedMember {
            hierarchy,
            name: members.name(hierarchy, member).to_owned(),
            texts: facetta_model::definition::Texts::default(),
            unique_name: members.unique_name(hierarchy, member),
            parent: members.parent(hierarchy, member),
            level: members.level(hierarchy, member),
            depth: members.depth(hierarchy, member),
            scope: Scope::Query,
            formula: "".into(),
            properties: Vec::new(),
            original: member,
        };
        self.add_look(look, coordinate::own(member))
    }

    /// The hierarchies on no axis, with the members of WHERE or the default ones.
    fn slicer_axis(&self, slicer: Option<&Set>, axes: &[Set]) -> Result<Axis> {
        let on_axis = |h: &HierarchyId| axes.iter().flat_map(Set::parts).any(|p| p.hierarchies.contains(h));
        let mut ids: Vec<HierarchyId> = Vec::new();
        if let (Some(set), true) = (slicer, self.cube.compatibility.slicer_as_written()) {
            ids.extend(set.hierarchies());
        }
        for h in (0..self.cube.hierarchies.len()).map(HierarchyId::from) {
            if !on_axis(&h) && !ids.contains(&h) {
                ids.push(h);
            }
        }
        let mut tuples = TupleSet::new(ids);
        let defaults: Vec<MemberId> = tuples.hierarchies.iter().map(|h| self.default_member(*h)).collect();
        match slicer {
            None => tuples.members = defaults,
            Some(set) => {
                let set = self.shown(&*set.tuples(&self.context)?)?;
                for tuple in set.iter() {
                    let start = tuples.members.len();
                    tuples.members.extend_from_slice(&defaults);
                    for (h, m) in set.hierarchies.iter().zip(tuple) {
                        if let Some(at) = tuples.hierarchies.iter().position(|t| t == h) {
                            tuples.members[start + at] = *m;
                        }
                    }
                }
            }
        }
        let hierarchies = tuples.hierarchies.iter().map(|h| self.axis_hierarchy(*h, &[])).collect();
        Ok(Axis { hierarchies, tuples: tuples.into(), properties_asked: false })
    }

    fn axis_hierarchy(&self, hierarchy: HierarchyId, asked: &[(Option<HierarchyId>, AxisProperty)]) -> AxisHierarchy {
        let unique_name = self.cube.hierarchy(hierarchy).unique_name.clone();
        let of = |(h, p): &(Option<HierarchyId>, AxisProperty)| {
            let mut property = p.clone();
            if property.unique_name.is_empty() {
                property.unique_name.clone_from(&unique_name);
                property.unique_name.push('.');
                facetta_model::name::quote_into(&mut property.unique_name, &p.name);
            }
            h.is_none_or(|h| h == hierarchy).then_some(property)
        };
        AxisHierarchy { id: hierarchy, properties: asked.iter().filter_map(of).collect(), unique_name }
    }
}

/// The cells of a cell set as they are pulled.
struct Cells {
    evaluator: Evaluator,
    /// The parts of the axes, the fastest first: the cells are their product.
    axes: Vec<Arc<crate::evaluate::Tuples>>,
    next: u64,
    count: u64,
    /// First cell of the next window.
    window_end: u64,
    formats: FxHashMap<Arc<str>, Arc<Format>>,
    /// Whether empty cells may have a text.
    shows_null: bool,
}

impl Cells {
    fn new(evaluator: Evaluator, axes: &[Set], empty: bool) -> Cells {
        let axes: Vec<_> = axes.iter().flat_map(|set| set.parts().iter().rev().cloned()).collect();
        let count = axes.iter().fold(1u64, |n, a| n.saturating_mul(a.len() as u64));
        let count = if empty { 0 } else { count };
        let shows_null = evaluator.a_format_shows_null();
        Cells { evaluator, axes, next: 0, count, window_end: 0, formats: FxHashMap::default(), shows_null }
    }

    fn next(&mut self, context: &Context) -> Result<Option<CellBlock>> {
        self.evaluator.context = context.clone();
        while self.next < self.count {
            if self.next >= self.window_end {
                self.open_window()?;
            }
            let len = (self.window_end - self.next).min(CHUNK as u64 / 2) as usize;
            let block = self.block(self.next, len)?;
            self.next += len as u64;
            self.evaluator.forget_block();
            if !block.ordinals.is_empty() {
                return Ok(Some(block));
            }
        }
        Ok(None)
    }

    /// Says which members the next cells will ask for: all of the faster axes, a part of the slowest.
    fn open_window(&mut self) -> Result<()> {
        self.evaluator.subcubes.clear();
        let mut inner = 1u64;
        let mut hinted = 0;
        for (i, axis) in self.axes.iter().enumerate() {
            let len = axis.len() as u64;
            if inner.saturating_mul(len) > WINDOW && i + 1 == self.axes.len() || inner > WINDOW {
                break;
            }
            inner = inner.saturating_mul(len);
            hinted = i + 1;
        }
        for axis in &self.axes[..hinted] {
            for (position, h) in axis.hierarchies.iter().enumerate() {
                if axis.len() > 1 {
                    self.evaluator.hint_members(*h, axis.iter().map(|t| t[position]))?;
                }
            }
        }
        let steps = (WINDOW / inner.max(1)).max(1);
        let window = inner.saturating_mul(steps).min(self.count - self.next);
        if window < self.count {
            self.evaluator.subcubes.keep_to_itself();
        }
        if let Some(axis) = self.axes.get(hinted) {
            let len = axis.len() as u64;
            let (from, to) = (self.next / inner % len, ((self.next / inner % len) + steps).min(len));
            for (position, h) in axis.hierarchies.iter().enumerate() {
                self.evaluator.hint_members(*h, (from..to).map(|t| axis.get(t as usize)[position]))?;
            }
        }
        self.window_end = self.next + window;
        Ok(())
    }

    fn block(&mut self, start: u64, len: usize) -> Result<CellBlock> {
        let batch = self.coordinates(start, len);
        let values = self.evaluator.cells_or_errors(&batch)?;
        let mut rows: Vec<u32> = Vec::new();
        let texts = self.texts_of_null(&batch)?;
        for row in 0..len {
            if !values.get(row).is_empty() || texts.as_ref().is_some_and(|t| !t.get(row).is_empty()) {
                rows.push(row as u32);
            }
        }
        let counters = self.evaluator.context.counters();
        counters.cells.fetch_add(len as u64, std::sync::atomic::Ordering::Relaxed);
        let mut block =
            CellBlock { ordinals: rows.iter().map(|&r| start + u64::from(r)).collect(), ..CellBlock::default() };
        block.values = rows.iter().map(|&r| values.get(r as usize).clone()).collect();
        if rows.is_empty() {
            return Ok(block);
        }
        let batch = if rows.len() == len { batch } else { batch.select(&rows) };
        let properties = self.evaluator.program.cell_properties.clone();
        let needs_format = |p: &CellProperty| matches!(p, CellProperty::FormattedValue | CellProperty::FormatString);
        let formats = if properties.iter().any(needs_format) {
            self.evaluator.format_strings(&batch)?
        } else {
            crate::evaluate::Col::One(Value::Empty)
        };
        if properties.contains(&CellProperty::FormattedValue) {
            block.formatted = self.formatted(&block.values, &formats);
        }
        for property in &properties {
            if !matches!(property, CellProperty::Value | CellProperty::FormattedValue | CellProperty::CellOrdinal) {
                block.others.push(self.evaluator.cell_property(*property, &batch, &formats)?);
            }
        }
        Ok(block)
    }

    /// What the cells would show if they were empty, where formats may say something about that.
    fn texts_of_null(&mut self, batch: &Batch) -> Result<Option<Strings>> {
        let asked = self.evaluator.program.cell_properties.contains(&CellProperty::FormattedValue);
        if !self.shows_null || !asked {
            return Ok(None);
        }
        let formats = self.evaluator.format_strings(batch)?;
        Ok(Some(self.formatted(&vec![Value::Empty; batch.len], &formats)))
    }

    /// The coordinates of the cells from `start`.
    fn coordinates(&self, start: u64, len: usize) -> Batch {
        let mut batch = self.evaluator.base().repeat(0, len);
        let mut inner = 1u64;
        for axis in &self.axes {
            let count = axis.len() as u64;
            for (position, h) in axis.hierarchies.iter().enumerate() {
                let member = |ordinal: u64| axis.get((ordinal / inner % count) as usize)[position];
                batch.set(h.index(), Column::of((start..start + len as u64).map(member).collect()));
            }
            inner = inner.saturating_mul(count);
        }
        batch
    }

    fn formatted(&mut self, values: &[Value], formats: &Values) -> Strings {
        let mut out = Strings::default();
        let locale = self.evaluator.settings.locale;
        for (row, value) in values.iter().enumerate() {
            match formats.get(row) {
                Value::Str(text) => {
                    let format = match self.formats.get(text) {
                        Some(format) => format.clone(),
                        None => {
                            let format = Format::parse(text);
                            self.formats.insert(text.clone(), format.clone());
                            format
                        }
                    };
                    out.push_with(|s| format.write(value, locale, s));
                }
                _ => out.push_with(|s| Format::general().write(value, locale, s)),
            }
        }
        out
    }
}
