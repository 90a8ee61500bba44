//! ES256 (FIPS 186-5 section 6.4.2) with tables of the generator's and the public key's multiples, on the group of p256.

use anyhow::{Context, Result};
use aws_lc_rs::digest;
use p256::{
    AffinePoint, FieldBytes, ProjectivePoint, Scalar, Sec1Point,
    elliptic_curve::{BatchNormalize, PrimeField, ops::Reduce, point::AffineCoordinates, sec1::FromSec1Point},
};

const WINDOWS: usize = 32;
/// Multiples in one window of eight bits; zero needs none.
const MULTIPLES: usize = 255;

/// Bytes of one key's table.
pub const BYTES: usize = WINDOWS * MULTIPLES * size_of::<AffinePoint>();

/// For each byte of a scalar, each of its values times the point: a multiplication is at most 32 additions.
struct Table(Vec<AffinePoint>);

impl Table {
    fn new(point: ProjectivePoint) -> Self {
        let mut all = Vec::with_capacity(WINDOWS * MULTIPLES);
        let mut base = point;
        for _ in 0..WINDOWS {
            let mut multiple = base;
            for _ in 0..MULTIPLES {
                all.push(multiple);
                multiple += base;
            }
            base = multiple;
        }
        Self(<ProjectivePoint as BatchNormalize<[ProjectivePoint]>>::batch_normalize(&all))
    }

    /// `sum + scalar × point`; in variable time, since all of it is public.
    fn add(&self, sum: ProjectivePoint, scalar: &Scalar) -> ProjectivePoint {
        let bytes = scalar.to_repr();
        let digits = bytes.iter().rev().zip(self.0.chunks_exact(MULTIPLES));
        let points = digits.filter_map(|(&digit, multiples)| multiples.get(usize::from(digit).checked_sub(1)?));
        points.fold(sum, |sum, point| sum + point)
    }
}

pub struct Key {
    generator: Table,
    public: Table,
}

impl Key {
    pub fn new(public: &[u8]) -> Result<Self> {
        let point = Sec1Point::from_bytes(public).ok().context("not a point")?;
        let point = Option::<AffinePoint>::from(AffinePoint::from_sec1_point(&point)).context("not on the curve")?;
        Ok(Self { generator: Table::new(ProjectivePoint::GENERATOR), public: Table::new(point.into()) })
    }

    /// Whether the tables vouch for it. `false` would mean "ask the primitive", never "refused": an `x` between the group's
    /// order and the field's prime, for example, is not reduced here.
    pub fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        let Some((r_bytes, s_bytes)) = signature.split_at_checked(32) else { return false };
        let (Some(r), Some(s)) = (scalar(r_bytes), scalar(s_bytes)) else { return false };
        let Some(inverse) = Option::<Scalar>::from(s.invert_vartime()) else { return false };
        let Ok(hash) = <[u8; 32]>::try_from(digest::digest(&digest::SHA256, message).as_ref()) else { return false };
        let hash = <Scalar as Reduce<FieldBytes>>::reduce(&hash.into());
        let sum = self.generator.add(ProjectivePoint::IDENTITY, &(hash * inverse));
        let sum = self.public.add(sum, &(r * inverse));
        let never = sum == ProjectivePoint::IDENTITY || r == Scalar::ZERO;
        !never && sum.to_affine().x().as_slice() == r_bytes
    }
}

fn scalar(bytes: &[u8]) -> Option<Scalar> {
    Scalar::from_repr(<[u8; 32]>::try_from(bytes).ok()?.into()).into()
}
