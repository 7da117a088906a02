package egress

import (
	"net/netip"
	"testing"
)

func TestClassOf(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"1.1.1.1": classPublic, "8.8.8.8": classPublic, publicIP: classPublic, "2606:4700::1111": classPublic, "64:ff9b::808:808": classPublic,
		"::ffff:8.8.8.8": classPublic, "100.63.255.255": classPublic, "100.128.0.0": classPublic, "172.15.255.255": classPublic, "172.32.0.0": classPublic,
		"169.254.169.254": classMetadata, "::ffff:169.254.169.254": classMetadata, "64:ff9b::a9fe:a9fe": classMetadata, "169.254.170.2": classMetadata,
		"100.100.100.200": classMetadata, "168.63.129.16": classMetadata, "192.0.0.192": classMetadata, "fd00:ec2::254": classMetadata,
		"127.0.0.1": classLoopback, "127.255.255.254": classLoopback, "::1": classLoopback, "::ffff:127.0.0.1": classLoopback, "64:ff9b::7f00:1": classLoopback,
		"10.0.0.1": classPrivate, "172.16.0.1": classPrivate, "172.31.255.255": classPrivate, "192.168.1.1": classPrivate, "100.64.0.1": classPrivate,
		"fc00::1": classPrivate, "fd12:3456::1": classPrivate, "fec0::1": classPrivate, "64:ff9b::a00:1": classPrivate,
		"169.254.1.1": classLinkLocal, "fe80::1": classLinkLocal, "fe80::1%eth0": classLinkLocal, "2606:4700::1111%eth0": classLinkLocal,
		"224.0.0.1": classMulticast, "239.255.255.250": classMulticast, "ff02::1": classMulticast,
		"0.0.0.0": classUnspecified, "::": classUnspecified,
		"0.1.2.3": classReserved, "192.0.0.1": classReserved, "192.0.2.1": classReserved, "192.88.99.1": classReserved, "198.18.0.1": classReserved,
		"198.51.100.1": classReserved, "203.0.113.1": classReserved, "240.0.0.1": classReserved, "255.255.255.255": classReserved,
		"::127.0.0.1": classReserved, "64:ff9b:1::7f00:1": classReserved, "100::1": classReserved, "2001::1": classReserved, "2001:db8::1": classReserved,
		"2002:7f00:1::": classReserved, "2002:808:808::": classReserved, "3fff::1": classReserved, "4000::1": classReserved,
	}
	for text, want := range tests {
		if got := classOf(netip.MustParseAddr(text)); got != want {
			t.Errorf("classOf(%s) = %q, want %q", text, got, want)
		}
	}
	if got := classOf(netip.Addr{}); got != classReserved {
		t.Errorf("classOf(no address) = %q, want %q", got, classReserved)
	}
}

// However an IPv4 address is written into an IPv6 address, it is not public when it is not public by itself.
func FuzzClassOf(f *testing.F) {
	f.Add([]byte{127, 0, 0, 1})
	f.Add([]byte{8, 8, 8, 8})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) != 4 {
			return
		}
		a := netip.AddrFrom4([4]byte(b))
		if classOf(a) == classPublic {
			return
		}
		for name, b16 := range map[string][16]byte{
			"mapped":     {10: 0xff, 11: 0xff, 12: b[0], 13: b[1], 14: b[2], 15: b[3]},
			"compatible": {12: b[0], 13: b[1], 14: b[2], 15: b[3]},
			"NAT64":      {0: 0, 1: 0x64, 2: 0xff, 3: 0x9b, 12: b[0], 13: b[1], 14: b[2], 15: b[3]},
			"6to4":       {0: 0x20, 1: 0x02, 2: b[0], 3: b[1], 4: b[2], 5: b[3]},
			"Teredo":     {0: 0x20, 1: 0x01, 12: ^b[0], 13: ^b[1], 14: ^b[2], 15: ^b[3]},
		} {
			if a6 := netip.AddrFrom16(b16); classOf(a6) == classPublic {
				t.Errorf("%s as %s is public: %s", a, name, a6)
			}
		}
	})
}

func TestLiteral(t *testing.T) {
	t.Parallel()
	tests := []struct {
		host string
		want string // address, "" for a name, "error"
	}{
		{"127.0.0.1", "127.0.0.1"}, {"::1", "::1"}, {"2130706433", "127.0.0.1"}, {"0x7f000001", "127.0.0.1"}, {"0177.0.0.1", "127.0.0.1"}, {"0x7f.1", "127.0.0.1"},
		{"127.1", "127.0.0.1"}, {"127.0.1", "127.0.0.1"}, {"127.0.0.1.", "127.0.0.1"}, {"017700000001", "127.0.0.1"}, {"0X7F.0.0.0X1", "127.0.0.1"}, {"0", "0.0.0.0"},
		{"0x", "0.0.0.0"}, {"1.2.65535", "1.2.255.255"}, {"4294967295", "255.255.255.255"},
		{"example.com", ""}, {"1.example", ""}, {"0x7g", ""}, {"127.0.0.1.nip.io", ""}, {"a1", ""}, {"-1", ""}, {"", ""}, {"1_0", ""},
		{"4294967296", "error"}, {"256.0.0.1", "error"}, {"1.2.3.4.5", "error"}, {"1.2.3.256", "error"}, {"09.1.1.1", "error"}, {"a.1", "error"}, {"1..1", "error"},
		{"0177.0.0.08", "error"}, {"99999999999999999999", "error"}, {"1.2.65536", "error"},
	}
	for _, test := range tests {
		a, ok, err := literal(test.host)
		got := ""
		switch {
		case err != nil:
			got = "error"
		case ok:
			got = a.String()
		}
		if got != test.want {
			t.Errorf("literal(%q) = %q (%v), want %q", test.host, got, err, test.want)
		}
	}
}

func FuzzLiteral(f *testing.F) {
	for _, s := range []string{"127.1", "0x7f.1", "example.com", "1.2.3.4.5", "0x", "::1", "."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, host string) {
		a, ok, err := literal(host)
		if ok && (err != nil || !a.IsValid()) {
			t.Errorf("literal(%q) = %v, %v, %v", host, a, ok, err)
		}
		if std, stdErr := netip.ParseAddr(host); stdErr == nil && (!ok || a != std) {
			t.Errorf("literal(%q) = %v, want %v", host, a, std)
		}
	})
}
