package storagetest

import (
	"bytes"
	"errors"
	"io"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/storage"
)

// pattern returns n bytes of which no part repeats soon.
func pattern(n int) []byte {
	data := make([]byte, n)
	x := uint32(2463534242)
	for i := range data {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		data[i] = byte(x)
	}
	return data
}

// Any part of an object is read by itself, byte for byte, with the size of the whole.
func ranges(f *fixture) {
	h := f.as("agent:a1")
	const block = 64 << 10 // about what connectors cut bodies into
	for _, size := range []int{0, 1, 10, block - 1, block, block + 1, 4*block + 100, 9*block + 7} {
		body := pattern(size)
		if err := h.Write(f.Context(), "x", body, storage.Options{}); err != nil {
			f.Fatal(err)
		}
		for _, offset := range []int{0, 1, 5, block - 1, block, block + 1, 4 * block, size - 1, size} {
			for _, length := range []int{0, 1, 2, block - 1, block, block + 1, 5 * block, size} {
				if offset < 0 || offset > size {
					continue
				}
				o, err := h.OpenRange(f.Context(), "x", int64(offset), int64(length))
				if err != nil {
					f.Fatalf("OpenRange(%d, %d) of %d: %v", offset, length, size, err)
				}
				got, err := io.ReadAll(o.Body)
				want := body[offset:]
				if length > 0 {
					want = want[:min(length, len(want))]
				}
				if err != nil || !bytes.Equal(got, want) || o.Size != int64(size) {
					f.Errorf("OpenRange(%d, %d) of %d gave %d bytes of %d, %v, want %d", offset, length, size, len(got), o.Size, err, len(want))
				}
				if err := o.Body.Close(); err != nil {
					f.Errorf("Close: %v", err)
				}
			}
		}
	}
	for _, r := range []storage.Range{{Offset: -1}, {Length: -1}, {Offset: 1 << 30}, {Offset: 1 << 62, Length: 1 << 62}} {
		_, err := h.OpenRange(f.Context(), "x", r.Offset, r.Length)
		if !fault.Is(err, fault.Invalid) || fault.CodeOf(err) != storage.CodeRange {
			f.Errorf("OpenRange(%d, %d) = %v, want INVALID with the code %s", r.Offset, r.Length, err, storage.CodeRange)
		}
	}
	_, err := h.OpenRange(f.Context(), "missing", 1, 1)
	f.wantKind("OpenRange of nothing", err, fault.NotFound)
	_, err = f.as("agent:b1").OpenRange(f.Context(), "x", 1, 1)
	f.wantKind("OpenRange as a stranger", err, fault.Denied)
}

// A body that was opened gives what it was opened on, to its end, or an error, whatever happens to the object.
func openBodies(f *fixture) {
	h := f.as("agent:a1")
	old := pattern(600_000)
	changes := map[string]func() error{
		"overwritten": func() error { return h.Write(f.Context(), "x", bytes.Repeat([]byte{1}, 600_000), storage.Options{}) },
		"deleted":     func() error { return h.Delete(f.Context(), "x") },
		"made anew": func() error {
			return errors.Join(h.Delete(f.Context(), "x"), h.Write(f.Context(), "x", bytes.Repeat([]byte{2}, 700_000), storage.Options{}))
		},
		"given away": func() error { return h.SetACL(f.Context(), "x", access.NewACL()) },
	}
	for name, change := range changes {
		if err := h.Write(f.Context(), "x", old, storage.Options{}); err != nil {
			f.Fatal(err)
		}
		o, err := h.Open(f.Context(), "x")
		if err != nil {
			f.Fatal(err)
		}
		start := make([]byte, 1000)
		if _, err := io.ReadFull(o.Body, start); err != nil {
			f.Fatal(err)
		}
		if err := change(); err != nil {
			f.Errorf("%s: %v", name, err)
		}
		rest, err := io.ReadAll(o.Body)
		got := append(start, rest...)
		if err == nil && !bytes.Equal(got, old) || err != nil && (!fault.Is(err, fault.Conflict) || !bytes.HasPrefix(old, got)) {
			f.Errorf("%s: the open body gave %d bytes, %v, want those it was opened on, or a conflict", name, len(got), err)
		}
		if err := o.Body.Close(); err != nil {
			f.Errorf("%s: Close: %v", name, err)
		}
	}
}
