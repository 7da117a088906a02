package egress

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// opens reports whether an address of a class may be reached where these networks are allowed.
func opens(nets []netip.Prefix, class string, a netip.Addr) bool {
	switch class {
	case classPublic:
		return len(nets) == 0 || contains(nets, a)
	case classMetadata:
		return slices.ContainsFunc(nets, func(n netip.Prefix) bool { return n.IsSingleIP() && n.Addr() == a })
	}
	return contains(nets, a)
}

func contains(nets []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(nets, func(n netip.Prefix) bool { return n.Contains(a) })
}

func matchesAny(patterns []string, host string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matchesHost(p, host) })
}

func matchesHost(pattern, host string) bool {
	pattern, host = normal(pattern), normal(host)
	if below, ok := strings.CutPrefix(pattern, "*."); ok {
		return strings.HasSuffix(host, "."+below)
	}
	return pattern == host
}

// normal writes a host name in one way: lower case, without the dot of the root.
func normal(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }

func parseNetworks(where string, texts []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range texts {
		n, err := parseNetwork(text)
		if err != nil {
			return nil, wrong(where, err)
		}
		out = append(out, n)
	}
	return out, nil
}

// parseNetwork reads "10.0.0.0/8", or an address for itself alone.
func parseNetwork(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	n, err := netip.ParsePrefix(text)
	if err != nil || n.Addr().Is4In6() {
		return n, fmt.Errorf("%q is no network; write it like 10.1.0.0/16 or fd00::/8", text)
	}
	return n.Masked(), nil
}
