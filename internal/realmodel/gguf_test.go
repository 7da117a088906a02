package realmodel

import (
	"bytes"
	"testing"
)

func TestTiny(t *testing.T) {
	t.Parallel()
	one := Tiny(1)
	if !bytes.HasPrefix(one, []byte("GGUF\x03\x00\x00\x00")) || len(one) < 100_000 || len(one) > 2_000_000 {
		t.Errorf("the file has %d bytes and begins with %q", len(one), one[:8])
	}
	if !bytes.Equal(one, Tiny(1)) || bytes.Equal(one, Tiny(2)) {
		t.Error("a seed does not decide about the file")
	}
}
