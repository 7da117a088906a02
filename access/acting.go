package access

import "context"

// Acting says for whom and in which run something is done. Records name it, and what a team may reach on the network is
// looked up by it. It grants nothing: rights come from grants alone.
type Acting struct {
	Candidate Candidate
	Team      string // "" when it is not known
	Run       string // id of the run, "" outside of runs
}

type actingKey struct{}

// WithActing returns a context of what is done for a.
func WithActing(ctx context.Context, a Acting) context.Context {
	return context.WithValue(ctx, actingKey{}, a)
}

// ActingOf returns for whom something is done, the zero Acting when nobody said.
func ActingOf(ctx context.Context) Acting {
	a, _ := ctx.Value(actingKey{}).(Acting)
	return a
}
