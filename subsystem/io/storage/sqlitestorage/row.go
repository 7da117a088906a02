package sqlitestorage

import (
	"math"
	"strconv"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/value"
)

// row is an object as the columns hold it.
type row struct {
	name       string
	generation string
	acl        string
	rights     int64 // checksum of what the guard decides by
	expires    int64
	modified   int64
	size       int64
	blob       int64
	metadata   string
	content    int64 // checksum of everything else
}

// dest is where a scan of all columns goes.
func (r *row) dest() []any {
	return []any{&r.name, &r.generation, &r.acl, &r.rights, &r.expires, &r.modified, &r.size, &r.blob, &r.metadata, &r.content}
}

// values are all columns.
func (r *row) values() []any {
	return []any{r.name, r.generation, r.acl, r.rights, r.expires, r.modified, r.size, r.blob, r.metadata, r.content}
}

// set takes over a record.
func (r *row) set(rec storage.Record) {
	r.acl, r.metadata, r.expires = rec.ACL.String(), rec.Metadata.JSON(), stamp(rec.Expires)
}

// seal computes the checksums.
func (r *row) seal() { r.rights, r.content = r.rightsSum(), r.contentSum() }

func (r *row) rightsSum() int64 {
	return sqlite.Checksum(r.name, r.generation, r.acl, strconv.FormatInt(r.expires, 10))
}

func (r *row) contentSum() int64 {
	return sqlite.Checksum(r.name, strconv.FormatInt(r.expires, 10), strconv.FormatInt(r.modified, 10), strconv.FormatInt(r.size, 10),
		strconv.FormatInt(r.blob, 10), r.metadata)
}

// ruling is what the guard decides by. It looks at nothing else, so that an object whose content is damaged can be replaced
// or removed by who may.
func (r *row) ruling() (storage.Ruling, error) {
	if r.rightsSum() != r.rights || r.generation == "" {
		return storage.Ruling{}, storage.Damaged("the checksum of the rights to %q does not match", r.name)
	}
	acl, err := access.ParseACL(r.acl)
	if err != nil {
		return storage.Ruling{}, storage.Damaged("ACL of %q: %w", r.name, err)
	}
	return storage.Ruling{ACL: acl, Generation: r.generation}, nil
}

// info describes the object, whose rights were looked at.
func (r *row) info() (storage.Info, error) {
	if r.contentSum() != r.content || r.size < 0 || r.size > storage.MaxObjectBytes {
		return storage.Info{}, storage.Damaged("the checksum of the description of %q does not match", r.name)
	}
	metadata, err := value.Decode(r.metadata, value.Limits{})
	if err != nil || !metadata.IsObject() {
		return storage.Info{}, storage.Damaged("the metadata of %q is no object (%v)", r.name, err)
	}
	return storage.Info{Name: r.name, Size: r.size, Modified: moment(r.modified), Expires: moment(r.expires), Metadata: metadata}, nil
}

func gone(expires, now int64) bool { return expires != 0 && expires <= now }

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
