//! Ed25519 (RFC 8032 section 5.1.7) with a table of the public key's multiples, on the point arithmetic of curve25519-dalek.

use anyhow::{Context, Result};
use aws_lc_rs::digest;
use curve25519_dalek::{
    EdwardsPoint, Scalar,
    edwards::{CompressedEdwardsY, EdwardsBasepointTable},
    traits::BasepointTable,
};

pub struct Key {
    public: [u8; 32],
    /// Of −A: the check is `R = S·B − k·A`.
    table: Box<EdwardsBasepointTable>,
}

/// Bytes of one key's table.
pub const BYTES: usize = size_of::<EdwardsBasepointTable>();

impl Key {
    pub fn new(public: &[u8]) -> Result<Self> {
        let public: [u8; 32] = public.try_into()?;
        let point = CompressedEdwardsY(public).decompress().context("not a point")?;
        Ok(Self { public, table: Box::new(EdwardsBasepointTable::create(&-point)) })
    }

    /// Whether the table vouches for it. `false` would mean "ask the primitive", never "refused".
    pub fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        let Some((point, scalar)) = signature.split_at_checked(32) else { return false };
        let Ok(scalar) = <[u8; 32]>::try_from(scalar) else { return false };
        let Some(s) = Option::<Scalar>::from(Scalar::from_canonical_bytes(scalar)) else { return false };
        let mut hash = digest::Context::new(&digest::SHA512);
        hash.update(point);
        hash.update(&self.public);
        hash.update(message);
        let Ok(hash) = <[u8; 64]>::try_from(hash.finish().as_ref()) else { return false };
        let k = Scalar::from_bytes_mod_order_wide(&hash);
        (EdwardsPoint::mul_base(&s) + &*self.table * &k).compress().0 == point
    }
}
