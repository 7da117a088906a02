package egress

import "net/netip"

// The classes of addresses that are not public, named as refusals name them.
const (
	classPublic      = ""
	classMetadata    = "metadata"
	classLoopback    = "loopback"
	classPrivate     = "private"
	classLinkLocal   = "link-local"
	classMulticast   = "multicast"
	classUnspecified = "unspecified"
	classReserved    = "reserved"
)

// block is a network with its class.
type block struct {
	network netip.Prefix
	class   string
}

// blocks are the networks that are not public, after the IANA registries of special-purpose addresses. The first that
// holds an address counts.
var blocks = []block{
	// Metadata services of clouds, wherever they lie.
	{netip.MustParsePrefix("169.254.169.254/32"), classMetadata},
	{netip.MustParsePrefix("169.254.170.2/32"), classMetadata},
	{netip.MustParsePrefix("169.254.170.23/32"), classMetadata},
	{netip.MustParsePrefix("100.100.100.200/32"), classMetadata},
	{netip.MustParsePrefix("168.63.129.16/32"), classMetadata},
	{netip.MustParsePrefix("192.0.0.192/32"), classMetadata},
	{netip.MustParsePrefix("fd00:ec2::/32"), classMetadata},
	{netip.MustParsePrefix("fd20:ce::254/128"), classMetadata},

	{netip.MustParsePrefix("0.0.0.0/32"), classUnspecified},
	{netip.MustParsePrefix("0.0.0.0/8"), classReserved},
	{netip.MustParsePrefix("10.0.0.0/8"), classPrivate},
	{netip.MustParsePrefix("100.64.0.0/10"), classPrivate}, // of a carrier
	{netip.MustParsePrefix("127.0.0.0/8"), classLoopback},
	{netip.MustParsePrefix("169.254.0.0/16"), classLinkLocal},
	{netip.MustParsePrefix("172.16.0.0/12"), classPrivate},
	{netip.MustParsePrefix("192.0.0.0/24"), classReserved},
	{netip.MustParsePrefix("192.0.2.0/24"), classReserved}, // documentation
	{netip.MustParsePrefix("192.88.99.0/24"), classReserved},
	{netip.MustParsePrefix("192.168.0.0/16"), classPrivate},
	{netip.MustParsePrefix("198.18.0.0/15"), classReserved}, // benchmarks
	{netip.MustParsePrefix("198.51.100.0/24"), classReserved},
	{netip.MustParsePrefix("203.0.113.0/24"), classReserved},
	{netip.MustParsePrefix("224.0.0.0/4"), classMulticast},
	{netip.MustParsePrefix("240.0.0.0/4"), classReserved}, // with the broadcast address

	{netip.MustParsePrefix("::/128"), classUnspecified},
	{netip.MustParsePrefix("::1/128"), classLoopback},
	{netip.MustParsePrefix("fc00::/7"), classPrivate},
	{netip.MustParsePrefix("fe80::/10"), classLinkLocal},
	{netip.MustParsePrefix("fec0::/10"), classPrivate},
	{netip.MustParsePrefix("ff00::/8"), classMulticast},
	{netip.MustParsePrefix("2001::/23"), classReserved}, // protocols, Teredo among them
	{netip.MustParsePrefix("2001:db8::/32"), classReserved},
	{netip.MustParsePrefix("2002::/16"), classReserved}, // 6to4 hides an IPv4 address
	{netip.MustParsePrefix("3fff::/20"), classReserved},
}

// Networks that stand for others.
var (
	globalIPv6 = netip.MustParsePrefix("2000::/3")
	translated = netip.MustParsePrefix("64:ff9b::/96") // NAT64: the last four bytes are an IPv4 address
)

// plain returns the address that is really connected: IPv4 that is written as IPv6 counts as IPv4.
func plain(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if translated.Contains(a) {
		b := a.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return a
}

// classOf returns the class of an address.
func classOf(a netip.Addr) string {
	a = plain(a)
	switch {
	case !a.IsValid():
		return classReserved
	case a.Zone() != "":
		return classLinkLocal // no Prefix holds an address with a zone
	}
	for _, b := range blocks {
		if b.network.Contains(a) {
			return b.class
		}
	}
	if a.Is6() && !globalIPv6.Contains(a) {
		return classReserved
	}
	return classPublic
}
