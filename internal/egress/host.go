package egress

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/sre-go/sre/fault"
)

// literal returns the address that a host is written as. Besides the usual forms these are the ones that browsers and
// the C library take for IPv4: 2130706433, 0x7f.1, 0177.0.0.1. A host whose last label is a number and that is none of
// them is an error: asking a resolver for it would leave the decision to the resolver. ok is false for a name.
func literal(host string) (a netip.Addr, ok bool, err error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return a, true, nil
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	last := labels[len(labels)-1]
	if _, numeric := parseLabel(last); !numeric && !allDigits(last) {
		return netip.Addr{}, false, nil
	}
	if len(labels) > 4 {
		return netip.Addr{}, false, notAnAddress(host)
	}
	var sum uint64
	for i, l := range labels {
		n, ok := parseLabel(l)
		room := uint64(1) << 8
		if i == len(labels)-1 {
			room = 1 << (8 * (5 - len(labels)))
		}
		if !ok || n >= room {
			return netip.Addr{}, false, notAnAddress(host)
		}
		if i == len(labels)-1 {
			sum |= n
		} else {
			sum |= n << (8 * (3 - i))
		}
	}
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}), true, nil
}

// parseLabel reads a number that may be hexadecimal or octal.
func parseLabel(l string) (uint64, bool) {
	base, digits := 10, l
	switch {
	case len(l) >= 2 && (l[:2] == "0x" || l[:2] == "0X"):
		base, digits = 16, l[2:]
		if digits == "" {
			return 0, true
		}
	case len(l) >= 2 && l[0] == '0':
		base, digits = 8, l[1:]
	}
	if digits == "" || digits[0] == '+' || digits[0] == '-' || strings.Contains(digits, "_") {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, base, 64)
	return n, err == nil
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func notAnAddress(host string) error {
	return fault.Newf(fault.Invalid, "%q is neither a host name nor an address", host)
}
