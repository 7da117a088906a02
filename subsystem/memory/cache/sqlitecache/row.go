package sqlitecache

import (
	"math"
	"strconv"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// row is a record as the columns hold it.
type row struct {
	acl      string
	metadata string // "" for none
	value    string
	expires  int64
}

// rowBytes is what an entry counts beside its texts: its other columns and its places in the indexes.
const rowBytes = 256

func (r row) size(key string) int64 {
	return int64(rowBytes + 2*len(key) + len(r.acl) + len(r.metadata) + len(r.value))
}

// encode turns a record into columns.
func encode(r cache.Record) (row, error) {
	text, err := value.Encode(r.Value, cache.StoredLimits())
	if err != nil {
		return row{}, err
	}
	metadata, err := encodeMetadata(r.Metadata)
	return row{acl: r.ACL.String(), metadata: metadata, value: text, expires: stamp(r.Expires)}, err
}

func encodeMetadata(m value.Value) (string, error) {
	if m.IsNil() {
		return "", nil
	}
	return value.Encode(m, cache.StoredLimits())
}

// decode is the inverse of encode for what a reader gets. It checks the content first.
func decode(key string, r row, sum int64) (cache.Entry, error) {
	if contentSum(key, r) != sum {
		return cache.Entry{}, cache.Damaged("the checksum of the value of %q does not match", key)
	}
	v, err := value.Decode(r.value, cache.StoredLimits())
	if err != nil {
		return cache.Entry{}, cache.Damaged("value of %q: %w", key, err)
	}
	e := cache.Entry{Value: v, Expires: moment(r.expires)}
	if r.metadata != "" {
		if e.Metadata, err = value.Decode(r.metadata, cache.StoredLimits()); err != nil {
			return cache.Entry{}, cache.Damaged("metadata of %q: %w", key, err)
		}
	}
	return e, nil
}

// contentSum is the checksum of what a reader gets.
func contentSum(key string, r row) int64 {
	return sqlite.Checksum(key, strconv.FormatInt(r.expires, 10), r.metadata, r.value)
}

// rightsSum is the checksum of what the guard decides by.
func rightsSum(key, generation, acl string) int64 { return sqlite.Checksum(key, generation, acl) }

// ruling turns columns into what the guard decides by.
func ruling(key, generation, acl string, sum int64) (cache.Ruling, error) {
	if rightsSum(key, generation, acl) != sum || generation == "" {
		return cache.Ruling{}, cache.Damaged("the checksum of the rights to %q does not match", key)
	}
	parsed, err := access.ParseACL(acl)
	if err != nil {
		return cache.Ruling{}, cache.Damaged("ACL of %q: %w", key, err)
	}
	return cache.Ruling{ACL: parsed, Generation: generation}, nil
}

// stamp turns a time into a number that orders like it: nanoseconds since 1970, 0 for never. What is later than 2262 is
// that year, what is before 1970 is long gone.
func stamp(t time.Time) int64 {
	switch {
	case t.IsZero():
		return 0
	case t.Year() > 2261:
		return math.MaxInt64
	case t.Year() < 1970:
		return 1
	}
	return max(t.UnixNano(), 1)
}

// moment is the inverse of stamp.
func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
