package scheduler

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
)

// Connector keeps jobs by their owner and id; [At] tells which a grant is about. Its methods are safe for concurrent use
// and keep no grants. Owners and ids have been checked, ids by [ValidID].
//
// Two parts of a job change by themselves: what it is, with Put, and what became of it, with Keep. Each is replaced at
// once or not at all.
type Connector interface {
	// Rights returns who may use a job, and the agent it is for. No job is [Missing].
	Rights(ctx context.Context, at Address) (acl *access.ACL, agent string, err error)
	// Get returns a job with its progress. None is [Missing].
	Get(ctx context.Context, g access.Grant[access.Read]) (Entry, error)
	// Put stores a job in place of the one there was. The progress of the entry is not looked at: that of before stays.
	Put(ctx context.Context, g access.Grant[access.Write], e Entry) error
	// Keep stores the progress of a job, with no more of its history than the [Policy] says.
	Keep(ctx context.Context, g access.Grant[access.Write], p Progress) error
	// Delete removes a job and its progress. None is [Missing].
	Delete(ctx context.Context, g access.Grant[access.Write]) error
	// All gives the jobs of an owner after the id after ("" for the first), sorted by id; of everybody for the zero
	// owner, in any order. Jobs that are damaged are left out and named in the log. It gives at most one error, as the
	// last pair. The service shows each candidate only what it may read.
	All(ctx context.Context, owner access.Candidate, after string) iter.Seq2[Entry, error]
	// Lease takes the right to run a job, which one holder has at a time, in this process or in another. It does not
	// wait: when somebody else has it the error is [fault.Conflict]. It ends with release, which is called once, or with
	// the process.
	Lease(ctx context.Context, g access.Grant[access.Write]) (release func() error, err error)
	// Policy returns what is configured.
	Policy() Policy
}

// Policy is what an operator says about the jobs of a connector.
type Policy struct {
	Run     bool // whether this runtime runs jobs, or only keeps them for another that does
	History int  // outcomes that are kept of a job; 0 for none
}

// Address is where a job lies.
type Address struct {
	Owner access.Candidate
	ID    string // "" for all jobs of the owner
}

// String returns the written form, "<role>:<id>/<job>": what grants of this service are about.
func (a Address) String() string { return a.Owner.String() + "/" + a.ID }

// At returns the address that a grant is about. It is for connectors.
func At[L access.Level](g access.Grant[L]) Address {
	_, id, _ := strings.Cut(g.Resource(), "/") // the id of a candidate holds no slash
	return Address{Owner: g.Candidate(), ID: id}
}

// maxID bounds the id of a job, in bytes: with a suffix it is still the name of a file.
const maxID = 200

// ValidID checks that id may name a job: the name of one file by the rules of [access.ValidName], of at most 200 bytes,
// that does not begin with a dot.
func ValidID(id string) error {
	if err := access.ValidName(id); err != nil {
		return err
	}
	if len(id) > maxID || strings.Contains(id, "/") || id[0] == '.' {
		err := fault.Newf(fault.Invalid, "the id of a job has at most %d bytes, no slash and no dot at its beginning", maxID)
		return &fault.Error{Resource: id[:min(len(id), 64)], Kind: fault.Invalid, Code: access.CodePathDenied, Err: err}
	}
	return nil
}

// Missing is the error of a connector for an address without a job.
func Missing() error { return fault.Newf(fault.NotFound, "there is no such job") }

// CodeDamaged is the code of errors about a job that cannot be understood.
const CodeDamaged = "RECORD_DAMAGED"

// Damaged is the error of a connector for a job whose record is lost in part or garbled. It says what is wrong as in
// [fmt.Errorf].
func Damaged(at Address, format string, args ...any) error {
	return &fault.Error{
		Kind: fault.Internal, Code: CodeDamaged, Hint: "add the job anew, or delete it",
		Err: fmt.Errorf("the job %q of %s is damaged: %w", at.ID, at.Owner, fmt.Errorf(format, args...)),
	}
}
