package sqlitestorage

import (
	"testing"

	"github.com/sre-go/sre/subsystem/io/storage/storagetest"
	"github.com/sre-go/sre/value"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, Definition(), value.Obj())
}

// A large object passes through without being held in memory. Not parallel: it watches the heap.
func TestStreams(t *testing.T) { storagetest.Streams(t, Definition(), value.Obj()) }

func BenchmarkStream(b *testing.B) { storagetest.BenchmarkStream(b, Definition(), value.Obj()) }
