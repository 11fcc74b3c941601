use std::collections::BTreeMap;

use crate::diagram::geometry::{LETTER, Point, ROW};
use crate::text::width;

/// The places that are taken on a diagram, so that texts do not cover each other.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Boxes by the rows that they touch.
    boxes: BTreeMap<i64, Vec<Extent>>,
}

#[derive(Clone, Copy, Debug)]
struct Extent {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// The height of a text.
const HEIGHT: f64 = 14.0;
/// Where on its arrow a text may stand, the best place first.
const SHARES: [f64; 9] = [0.5, 0.6, 0.4, 0.7, 0.3, 0.78, 0.22, 0.85, 0.15];

impl Taken {
    /// Takes the place around a point.
    pub(crate) fn take(&mut self, point: Point, radius: f64) {
        self.add(Extent {
            left: point.x - radius,
            right: point.x + radius,
            top: point.y - radius,
            bottom: point.y + radius,
        });
    }

    /// Takes the place of a text that begins at a point.
    pub(crate) fn take_text(&mut self, text: &str, left: Point) {
        let right = left.x + f64::from(LETTER) * width(text) as f64;
        let (top, bottom) = (left.y - HEIGHT / 2.0, left.y + HEIGHT / 2.0);
        self.add(Extent { left: left.x, right, top, bottom });
    }

    /// Finds a place for a text on the line between two points, and takes it.
    pub(crate) fn place(&mut self, text: &str, from: Point, to: Point) -> Point {
        let half = f64::from(LETTER) * width(text) as f64 / 2.0 + 2.0;
        let around = |share: f64| {
            let middle = from.towards(to, share);
            let extent = Extent {
                left: middle.x - half,
                right: middle.x + half,
                top: middle.y - HEIGHT / 2.0,
                bottom: middle.y + HEIGHT / 2.0,
            };
            (middle, extent)
        };
        let free = SHARES.iter().map(|share| around(*share)).find(|(_, at)| self.is_free(at));
        let (middle, extent) = free.unwrap_or_else(|| around(SHARES[0]));
        self.add(extent);
        middle
    }

    fn add(&mut self, extent: Extent) {
        for row in rows(&extent) {
            self.boxes.entry(row).or_default().push(extent);
        }
    }

    fn is_free(&self, extent: &Extent) -> bool {
        let near = rows(extent).filter_map(|row| self.boxes.get(&row)).flatten();
        near.into_iter().all(|other| {
            other.right <= extent.left
                || other.left >= extent.right
                || other.bottom <= extent.top
                || other.top >= extent.bottom
        })
    }
}

fn rows(extent: &Extent) -> impl Iterator<Item = i64> + use<> {
    let row = |y: f64| (y / f64::from(ROW)).floor() as i64;
    row(extent.top)..=row(extent.bottom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_texts_on_crossing_lines_stand_apart() {
        let mut taken = Taken::default();
        let (left, right) = (Point::new(0, 0), Point::new(300, 100));
        let first = taken.place("Prepared", left, right);
        let second = taken.place("Prepared", left, right);
        assert_eq!((first.x, first.y), (150.0, 50.0));
        assert!((first.y - second.y).abs() >= HEIGHT || (first.x - second.x).abs() > 56.0);
    }

    #[test]
    fn where_no_place_is_free_a_text_stands_in_the_middle() {
        let mut taken = Taken::default();
        taken.take(Point::new(5, 0), 100.0);
        let at = taken.place("x", Point::new(0, 0), Point::new(10, 0));
        assert_eq!((at.x, at.y), (5.0, 0.0));
    }
}
