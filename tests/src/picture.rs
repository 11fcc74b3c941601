use std::io::Cursor;
use std::path::Path;

/// Compares a screenshot with the one that is kept, with tolerance: another machine has other
/// fonts. `UPDATE_EXPECT=1` keeps the new one; look at it before it is committed.
///
/// # Panics
///
/// Where they differ, or there is none.
pub fn check_picture(name: &str, screenshot: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pictures").join(format!("{name}.png"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, screenshot).expect("the folder of pictures can be written");
        return;
    }
    let kept = std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; UPDATE_EXPECT=1 makes it", path.display()));
    let share = difference(&kept, screenshot);
    assert!(
        share <= TOLERANCE,
        "{name}: {:.1} % of the picture differ, more than {:.1} %; UPDATE_EXPECT=1 keeps the new \
         one",
        100.0 * share,
        100.0 * TOLERANCE
    );
}

/// The share of a picture that may differ. Other fonts move letters, which takes about two in a
/// hundred blocks; another colour of the paper takes nearly all.
const TOLERANCE: f64 = 0.06;

/// The edge of the blocks that are compared by their mean colour.
const BLOCK: usize = 4;
/// How far the mean colour of a block may be off, of 255.
const OFF_MAX: i64 = 40;

/// The share of blocks in which two pictures differ; all of them where their sizes do.
///
/// # Panics
///
/// Where one of them is no picture.
pub fn difference(left: &[u8], right: &[u8]) -> f64 {
    let (left, right) = (Picture::read(left), Picture::read(right));
    if (left.width, left.height) != (right.width, right.height) {
        return 1.0;
    }
    let (mut blocks, mut differ) = (0, 0);
    for top in (0..left.height).step_by(BLOCK) {
        for start in (0..left.width).step_by(BLOCK) {
            blocks += 1;
            let (one, other) = (left.mean(start, top), right.mean(start, top));
            let is_off = one.iter().zip(other).any(|(one, other)| (one - other).abs() > OFF_MAX);
            differ += u32::from(is_off);
        }
    }
    f64::from(differ) / f64::from(blocks.max(1))
}

struct Picture {
    width: usize,
    height: usize,
    /// Red, green, blue and perhaps more, row by row.
    bytes: Vec<u8>,
    channels: usize,
}

impl Picture {
    fn read(bytes: &[u8]) -> Self {
        let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().expect("a PNG");
        let mut bytes = vec![0; reader.output_buffer_size().expect("a picture that fits memory")];
        let frame = reader.next_frame(&mut bytes).expect("a picture");
        let channels = frame.color_type.samples();
        Self { width: frame.width as usize, height: frame.height as usize, bytes, channels }
    }

    fn mean(&self, start: usize, top: usize) -> [i64; 3] {
        let (mut sum, mut count) = ([0; 3], 0);
        for y in top..(top + BLOCK).min(self.height) {
            for x in start..(start + BLOCK).min(self.width) {
                let at = (y * self.width + x) * self.channels;
                for (channel, sum) in sum.iter_mut().enumerate() {
                    *sum += i64::from(self.bytes[at + channel]);
                }
                count += 1;
            }
        }
        sum.map(|sum| sum / count)
    }
}
