package vectordb

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// Connector keeps namespaces of sources and the vectors of their chunks; [At] tells which namespace a grant is about. Its
// methods are safe for concurrent use and keep no grants. What they are given is theirs, and what they return is the
// caller's.
//
// Names of namespaces and ids of sources have been checked and mean nothing but themselves: no two of them may meet.
//
// A namespace that is deleted and made again is another one, perhaps with vectors of another length. Methods that are
// given the generation of a namespace act on that one alone, as one step, and answer [Changed] when it is not there any
// more.
type Connector interface {
	// Embedding says how texts become vectors in namespaces that are made from now on.
	Embedding() Embedding

	// CreateNamespace makes a namespace. One of that name is [fault.Conflict].
	CreateNamespace(ctx context.Context, g access.Grant[access.Write], ns Namespace) error
	// Namespace returns a namespace. None is [Missing].
	Namespace(ctx context.Context, g access.Grant[access.Read]) (Namespace, error)
	// Namespaces gives the namespaces of the owner that the grant is about after the name after ("" for the first), sorted
	// by name. It gives at most one error, as the last pair.
	Namespaces(ctx context.Context, g access.Grant[access.Read], after string) iter.Seq2[Namespace, error]
	// DeleteNamespace removes a namespace with all that is in it. None is [Missing].
	DeleteNamespace(ctx context.Context, g access.Grant[access.Write]) error

	// Put stores a source with its chunks in place of the one that had its id, all of it or nothing. The vectors have as
	// many dimensions as the namespace says.
	Put(ctx context.Context, g access.Grant[access.Write], generation string, s Source, chunks []Chunk) error
	// Source returns a source. None, and no namespace, is [Missing].
	Source(ctx context.Context, g access.Grant[access.Read], id string) (Source, error)
	// Sources gives the sources of a namespace after the id after ("" for the first), sorted by id, without their texts. No
	// namespace is [Missing]. It gives at most one error, as the last pair.
	Sources(ctx context.Context, g access.Grant[access.Read], after string) iter.Seq2[Source, error]
	// DeleteSource removes a source with its chunks. None, and no namespace, is [Missing].
	DeleteSource(ctx context.Context, g access.Grant[access.Write], id string) error

	// Search returns the chunks nearest to a vector, the nearest first, by [Cosine]. Of two that are as near, that of the
	// source that was put first comes first, and in a source the one that stands first.
	Search(ctx context.Context, g access.Grant[access.Read], generation string, q Query) ([]Match, error)
}

// Namespace is a room for texts, with the model that makes its vectors.
type Namespace struct {
	Name       string
	Generation string // tells it from others of that name, before and after it
	Model      string // id of the model
	Dimensions int    // of each vector
	Metadata   value.Value
	Created    time.Time
}

// Source is one text that was put into a namespace.
type Source struct {
	ID       string
	Label    string      // what people call it
	Text     string      // all of it; absent from listings
	Metadata value.Value // whatever belongs to it; absent for none
	Chunks   []string    // ids of its chunks, in their order
	Size     int         // of a chunk at most, in UTF-16 code units
	Overlap  int         // of two chunks at most
	Bytes    int         // length of the text
	Created  time.Time
}

// Chunk is a piece of a text with its vector.
type Chunk struct {
	ID     string
	Text   string
	Vector []float32
}

// Query asks for the chunks near a vector.
type Query struct {
	Vector []float32 // with the dimensions of the namespace
	TopK   int       // how many at most; at least 1
	Least  float64   // score that they have at least
}

// Match is a chunk that was found.
type Match struct {
	ID       string // of the chunk
	Source   string // id of its source
	Label    string
	Text     string
	Metadata value.Value // of the source
	Score    float64     // from -1 to 1, see [Cosine]
}

// Address is where a namespace lies. It is what grants of this service are about.
type Address struct {
	Owner     access.Candidate // an agent, a user or a team
	Namespace string           // "" for all of the owner
}

// String returns the written form, "<role>:<id>/<namespace>".
func (a Address) String() string { return a.Owner.String() + "/" + a.Namespace }

// At returns the address that a grant is about. It is for connectors.
func At[L access.Level](g access.Grant[L]) Address {
	owner, namespace, _ := strings.Cut(g.Resource(), "/") // the id of a candidate holds no slash
	c, _ := access.Parse(owner)                           // it was written by an Address
	return Address{Owner: c, Namespace: namespace}
}

// CodeDamaged is the code of errors about something kept that cannot be understood.
const CodeDamaged = "RECORD_DAMAGED"

// Damaged is the error of a connector for something that is lost in part or garbled.
func Damaged(format string, args ...any) error {
	return &fault.Error{Kind: fault.Internal, Code: CodeDamaged, Err: fmt.Errorf(format, args...)}
}

// Missing is the error of a connector for what is not there.
func Missing() error { return errMissing }

// Changed is the error of a connector for a generation of a namespace that is not there any more.
func Changed() error { return errChanged }

// Both are made once: they are nothing unusual.
var (
	errMissing = fault.Newf(fault.NotFound, "there is no such namespace or source")
	errChanged = fault.Newf(fault.Conflict, "the namespace was deleted meanwhile")
)
