package ramcache

import (
	"unsafe"

	"github.com/sre-go/sre/subsystem/memory/cache"
)

// entryBytes is what an entry takes beside its key, ACL, value and metadata, with a guess for its place in the map.
const entryBytes = int(unsafe.Sizeof(entry{})) + 64

// sizeOf returns what an entry counts for the budget.
func sizeOf(key string, r cache.Record) int {
	return entryBytes + len(key) + len(r.ACL.String()) + r.Value.Footprint() + r.Metadata.Footprint()
}
