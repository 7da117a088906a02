package sqlitevec

import (
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/internal/sqlite"
	"github.com/sre-go/sre/subsystem/io/vectordb"
	"github.com/sre-go/sre/value"
)

// namespaceRow is a namespace as the columns hold it.
type namespaceRow struct {
	id         int64
	owner      string
	name       string
	generation string
	model      string
	dimensions int64
	metadata   string
	created    int64
	sum        int64
	changes    int64 // of what is in it
}

func (r *namespaceRow) dest() []any {
	return []any{&r.id, &r.owner, &r.name, &r.generation, &r.model, &r.dimensions, &r.metadata, &r.created, &r.sum, &r.changes}
}

func (r *namespaceRow) sumOf() int64 {
	return sqlite.Checksum(r.owner, r.name, r.generation, r.model, number(r.dimensions), r.metadata, number(r.created))
}

// namespace checks the row and returns what it says.
func (r *namespaceRow) namespace() (vectordb.Namespace, error) {
	metadata, err := decode(r.metadata)
	if err != nil || r.sumOf() != r.sum {
		return vectordb.Namespace{}, vectordb.Damaged("the namespace %q is damaged (%v): delete it", r.name, err)
	}
	return vectordb.Namespace{
		Name: r.name, Generation: r.generation, Model: r.model, Dimensions: int(r.dimensions), Metadata: metadata, Created: moment(r.created),
	}, nil
}

// sourceRow is a source as the columns hold it, without its text.
type sourceRow struct {
	id        int64
	namespace int64
	name      string
	label     string
	metadata  string
	size      int64
	overlap   int64
	bytes     int64
	created   int64
	chunks    string // the ids, each on a line
	sum       int64
}

func (r *sourceRow) dest() []any {
	return []any{&r.id, &r.namespace, &r.name, &r.label, &r.metadata, &r.size, &r.overlap, &r.bytes, &r.created, &r.chunks, &r.sum}
}

func (r *sourceRow) sumOf() int64 {
	return sqlite.Checksum(number(r.namespace), r.name, r.label, r.metadata, number(r.size), number(r.overlap), number(r.bytes), number(r.created), r.chunks)
}

// source checks the row and returns what it says.
func (r *sourceRow) source() (vectordb.Source, error) {
	metadata, err := decode(r.metadata)
	if err != nil || r.sumOf() != r.sum {
		return vectordb.Source{}, damagedSource(r.name, err)
	}
	return vectordb.Source{
		ID: r.name, Label: r.label, Metadata: metadata, Chunks: strings.Split(r.chunks, "\n"), Size: int(r.size), Overlap: int(r.overlap),
		Bytes: int(r.bytes), Created: moment(r.created),
	}, nil
}

func damagedSource(name string, err error) error {
	return vectordb.Damaged("the source %q is damaged (%v): insert it again or delete it", name, err)
}

// textSum is the checksum of a text at its place: that of a source, or of a chunk of it.
func textSum(namespace, source, place int64, text string) int64 {
	return sqlite.Checksum(number(namespace), number(source), number(place), text)
}

// whole is the place of the text of a source.
const whole = -1

func number(n int64) string { return strconv.FormatInt(n, 10) }

func moment(n int64) time.Time { return time.Unix(0, n).UTC() }

// encode writes metadata, "" for none.
func encode(metadata value.Value) (string, error) {
	if metadata.IsAbsent() {
		return "", nil
	}
	return value.Encode(metadata, value.DefaultLimits())
}

// decode is the inverse of encode.
func decode(text string) (value.Value, error) {
	if text == "" {
		return value.Value{}, nil
	}
	return value.Decode(text, value.DefaultLimits())
}
