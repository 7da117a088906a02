package jsonmodels

import (
	"bytes"
	"testing"
)

// FuzzPages: what was put together comes apart again, and any other bytes do no harm.
func FuzzPages(f *testing.F) {
	f.Add("a.json", []byte(`{}`), []byte{})
	f.Add("", []byte{}, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Add("x", bytes.Repeat([]byte{1}, 300), []byte{5, 'a'})
	f.Fuzz(func(t *testing.T, name string, content, garbage []byte) {
		text := addPage(addPage(nil, name, content), "last", garbage)
		n := 0
		for gotName, gotContent := range pages(text) {
			wantName, want := name, content
			if n++; n == 2 {
				wantName, want = "last", garbage
			}
			if gotName != wantName || !bytes.Equal(gotContent, want) {
				t.Errorf("page %d = %q %q, want %q %q", n, gotName, gotContent, wantName, want)
			}
		}
		if n != 2 {
			t.Errorf("%d pages, want 2", n)
		}
		total := 0
		for gotName, gotContent := range pages(garbage) {
			total += len(gotName) + len(gotContent)
		}
		if total > len(garbage) {
			t.Errorf("%d bytes came out of %d", total, len(garbage))
		}
	})
}
