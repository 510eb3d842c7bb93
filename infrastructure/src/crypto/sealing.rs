//! AES-256-GCM with a random nonce in front of the ciphertext.

use application::PortError;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

/// Length of a key in bytes.
pub(super) const KEY_LEN: usize = 32;

/// Length of what a ciphertext ends with.
const TAG_LEN: usize = 16;

/// A sealing key. It cannot be printed.
pub(super) struct SealingKey(RandomizedNonceKey);

impl SealingKey {
    pub(super) fn new(key: &[u8; KEY_LEN]) -> Self {
        Self(RandomizedNonceKey::new(&AES_256_GCM, key).expect("the key has the cipher's length by its type"))
    }

    /// Nonce, ciphertext and tag.
    pub(super) fn seal(&self, binding: &str, plain: &[u8]) -> Result<Vec<u8>, PortError> {
        let mut sealed = room(plain);
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(binding.as_bytes()), &mut sealed)
            .map_err(|_| PortError::internal("sealing failed"))?;
        Ok([nonce.as_ref().as_slice(), &sealed].concat())
    }

    /// The plain bytes, if the ciphertext is whole and belongs to the binding. They are wiped when they are dropped.
    pub(super) fn open(&self, binding: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, PortError> {
        let broken = || PortError::internal("a ciphertext does not open: wrong key, wrong place, or altered");
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LEN).ok_or_else(broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let length =
            self.0.open_in_place(nonce, Aad::from(binding.as_bytes()), &mut buffer).map_err(|_| broken())?.len();
        buffer.truncate(length);
        Ok(buffer)
    }
}

/// The bytes with room for the tag: a list that had to grow for it would leave the plain bytes behind.
fn room(plain: &[u8]) -> Vec<u8> {
    let mut room = Vec::with_capacity(plain.len() + TAG_LEN);
    room.extend_from_slice(plain);
    room
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    #[test]
    fn what_was_sealed_opens_in_its_place_only() {
        let key = SealingKey::new(&[7; KEY_LEN]);
        let sealed = key.seal("here", b"secret").unwrap();
        assert_eq!(key.open("here", &sealed).unwrap().as_slice(), b"secret");
        assert!(key.open("there", &sealed).is_err());
        assert!(SealingKey::new(&[8; KEY_LEN]).open("here", &sealed).is_err());
        let mut altered = sealed;
        *altered.last_mut().unwrap() ^= 1;
        assert!(key.open("here", &altered).is_err());
        assert!(key.open("here", &[0; 5]).is_err());
    }

    #[test]
    fn the_same_bytes_are_sealed_differently_each_time() {
        let key = SealingKey::new(&[7; KEY_LEN]);
        assert_ne!(key.seal("here", b"secret").unwrap(), key.seal("here", b"secret").unwrap());
    }

    /// Seen to fail: with a list of the plain bytes' length.
    #[test]
    fn sealing_leaves_no_copy_of_the_plain_bytes_behind() {
        assert!(room(b"secret").capacity() >= b"secret".len() + AES_256_GCM.tag_len());
    }

    /// Does not compile where opened bytes are not wiped.
    #[test]
    fn opened_bytes_are_wiped_when_they_are_dropped() {
        fn is_wiped<T: ZeroizeOnDrop>(_: &T) {}
        let key = SealingKey::new(&[7; KEY_LEN]);
        is_wiped(&key.open("here", &key.seal("here", b"secret").unwrap()).unwrap());
        is_wiped(&secrecy::SecretString::from("secret"));
    }
}
