package untrusted

import (
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"as it is", "Gets an item.\n\tTwice.", "Gets an item.\n\tTwice."},
		{"control characters", "a\x1b[31mb\x00\r\x7f\u009bc", "a[31mbc"},
		{"no width, other direction, tags", "a\u200b\u202e\ufeff\u00ad\U000e0041b", "ab"},
		{"bytes that are no text", "a\xffb", "a\ufffdb"},
		{"long", strings.Repeat("é", 12), strings.Repeat("é", 10) + "…"},
		{"just as long", "0123456789", "0123456789"},
	}
	for _, test := range tests {
		if got := Text(test.in, 10); test.name != "as it is" && got != test.want {
			t.Errorf("%s: Text = %q, want %q", test.name, got, test.want)
		}
		if got := Text(test.in, 100); test.name == "as it is" && got != test.want {
			t.Errorf("%s: Text = %q, want %q", test.name, got, test.want)
		}
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"get-Item_1": "get-Item_1", "a b/ü": "a_b__", "0123456789ab": "0123456789", "": ""} {
		if got := Name(in, 10); got != want {
			t.Errorf("Name(%q) = %q, want %q", in, got, want)
		}
	}
}
