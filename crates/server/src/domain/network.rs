//! Which addresses the issuer may call when a client's registration names a host (OAU-14): those of the internet, and what an
//! operator allows by name. Asked of the address that is connected to, after the name was resolved.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network that may be called although it is not of the internet, such as `10.1.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

/// The text is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a network is an address and a length, such as 10.1.0.0/16, or an address alone")]
pub struct BadNetwork;

impl std::str::FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| BadNetwork)?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(longest), str::parse).map_err(|_| BadNetwork)?;
        if prefix > longest { Err(BadNetwork) } else { Ok(Self { address, prefix }) }
    }
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32 - self.prefix;
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128 - self.prefix;
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

/// Whether the issuer may connect to this address.
pub fn may_call(address: IpAddr, allowed: &[Network]) -> bool {
    // `::ffff:10.0.0.1` is 10.0.0.1 to the kernel.
    let address = address.to_canonical();
    is_of_the_internet(address) || allowed.iter().any(|network| network.contains(address))
}

/// Whether a name never leaves the machine (RFC 6761 §6.3).
pub fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

fn is_of_the_internet(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !is_special_v4(address),
        IpAddr::V6(address) => !is_special_v6(address),
    }
}

/// IANA's registry of special addresses.
fn is_special_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a >= 240
        // Shared by providers, protocol assignments, 6to4 relays, benchmarks.
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && (b == 18 || b == 19))
}

/// Only global unicast, without the ranges of it that lead to an address of version 4 or nowhere.
fn is_special_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let global = (0x2000..0x4000).contains(&a);
    !global || (a == 0x2001 && (b < 0x0200 || b == 0x0db8)) || a == 0x2002 || (a == 0x3fff && b < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    // OAU-14
    #[test]
    fn only_the_internet_is_called() {
        for good in
            ["1.1.1.1", "93.184.215.14", "100.63.0.1", "100.128.0.1", "198.20.0.1", "2606:4700::1111", "2a00::1"]
        {
            assert!(may_call(good.parse().unwrap(), &[]), "{good}");
        }
        for bad in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!may_call(bad.parse().unwrap(), &[]), "{bad}");
        }
    }

    #[test]
    fn an_operator_allows_a_network_by_name() {
        let networks = |text: &str| vec![text.parse::<Network>().unwrap()];
        let at = |address: &str, network: &str| may_call(address.parse().unwrap(), &networks(network));
        assert!(at("10.1.2.3", "10.1.0.0/16") && at("::ffff:10.1.2.3", "10.1.0.0/16"));
        assert!(!at("10.2.0.1", "10.1.0.0/16"));
        assert!(at("127.0.0.1", "127.0.0.1") && !at("127.0.0.2", "127.0.0.1"));
        assert!(at("fd12::9", "fd12::/16") && !at("fd13::9", "fd12::/16"));
        assert!(at("10.9.9.9", "0.0.0.0/0") && at("::1", "::/0") && !at("::1", "0.0.0.0/0"));
        for bad in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/-1", "host/8"] {
            assert_eq!(bad.parse::<Network>(), Err(BadNetwork), "{bad}");
        }
    }
}
