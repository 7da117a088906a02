package storagetest

import (
	"context"
	"encoding/binary"
	"hash"
	"hash/crc32"
	"io"
	"runtime/metrics"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/value"
)

// Sizes of objects that pass through, and what the heap may grow by meanwhile, in bytes.
const (
	streamTest  = 96 << 20
	streamBench = 1 << 30
	streamHeap  = 32 << 20
)

// Streams checks that the connector never holds a large object in memory, neither when it is written nor when it is read.
// No other test may run at the same time: call it from a test that is not parallel.
func Streams(t *testing.T, d connector.Definition, settings value.Value) {
	t.Helper()
	h := owner(t, d, settings)
	if peak := stream(t, h, streamTest); peak > streamHeap {
		t.Errorf("the heap grew by %d bytes while an object of %d passed through, want at most %d", peak, streamTest, streamHeap)
	}
}

// BenchmarkStream writes and reads an object of 1 GiB and reports by how much the heap grew meanwhile, as peak-heap-MiB.
func BenchmarkStream(b *testing.B, d connector.Definition, settings value.Value) {
	b.Helper()
	h := owner(b, d, settings)
	b.SetBytes(2 * streamBench)
	b.ReportAllocs()
	peak := int64(0)
	for b.Loop() {
		peak = max(peak, stream(b, h, streamBench))
	}
	b.ReportMetric(float64(peak)/(1<<20), "peak-heap-MiB")
}

// owner opens the connector and returns its handle for an agent.
func owner(tb testing.TB, d connector.Definition, settings value.Value) *storage.Handle {
	tb.Helper()
	env := connector.Env{Dir: tb.TempDir(), Effects: effect.System{}}
	opened, err := d.Open(tb.Context(), env, settings)
	if err != nil {
		tb.Fatal(err)
	}
	if c, ok := opened.(connector.Closer); ok {
		tb.Cleanup(func() {
			if err := c.Close(context.Background()); err != nil {
				tb.Errorf("Close: %v", err)
			}
		})
	}
	agent, err := access.Agent("a1")
	if err != nil {
		tb.Fatal(err)
	}
	in := connector.Instances[storage.Connector]{Default: "it", ByID: map[string]storage.Connector{"it": opened.(storage.Connector)}}
	return storage.New(env, in, nil).For(agent)
}

// stream writes an object of that size and reads it, and returns by how many bytes the heap grew at most.
func stream(tb testing.TB, h *storage.Handle, size int64) int64 {
	tb.Helper()
	m := &meter{base: heap()}
	in := &source{meter: m, left: size, sum: crc32.NewIEEE()}
	if err := h.WriteFrom(tb.Context(), "large", in, storage.Options{}); err != nil {
		tb.Fatalf("WriteFrom: %v", err)
	}
	o, err := h.Open(tb.Context(), "large")
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	out := &sink{meter: m, sum: crc32.NewIEEE()}
	n, err := io.Copy(out, o.Body)
	if err != nil || n != size || o.Size != size || out.sum.Sum32() != in.sum.Sum32() {
		tb.Errorf("read %d bytes of %d with checksum %08x, %v, want %d with %08x", n, o.Size, out.sum.Sum32(), err, size, in.sum.Sum32())
	}
	if err := o.Body.Close(); err != nil {
		tb.Errorf("Close: %v", err)
	}
	return m.peak - m.base
}

// heap returns the bytes of objects on the heap, those that nobody needs any more included.
func heap() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// meter watches the heap: the least there was of it, which is what it is without garbage of before, and the most.
type meter struct{ base, peak, passed int64 }

// pass notes that n bytes passed, and looks at the heap now and then.
func (m *meter) pass(n int) {
	const often = 1 << 20
	if m.passed += int64(n); m.passed >= often {
		m.passed = 0
		now := heap()
		m.base = min(m.base, now)
		m.peak = max(m.peak, now)
	}
}

// source gives numbered bytes.
type source struct {
	*meter
	left, number int64
	sum          hash.Hash32
}

func (s *source) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), s.left)]
	for i := 0; i+8 <= len(p); i += 8 {
		binary.LittleEndian.PutUint64(p[i:], uint64(s.number))
		s.number++
	}
	s.left -= int64(len(p))
	s.sum.Write(p) // a hash does not fail
	s.pass(len(p))
	return len(p), nil
}

// sink takes bytes.
type sink struct {
	*meter
	sum hash.Hash32
}

func (s *sink) Write(p []byte) (int, error) {
	s.pass(len(p))
	return s.sum.Write(p)
}
