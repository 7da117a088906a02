package localscheduler

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/agent/scheduler"
)

// All implements [scheduler.Connector].
func (s *store) All(ctx context.Context, owner access.Candidate, after string) iter.Seq2[scheduler.Entry, error] {
	return func(yield func(scheduler.Entry, error) bool) {
		list, err := s.addresses(owner, after)
		if err != nil {
			yield(scheduler.Entry{}, err)
			return
		}
		for _, at := range list {
			if ctx.Err() != nil {
				yield(scheduler.Entry{}, context.Cause(ctx))
				return
			}
			e, err := s.job(at)
			switch {
			case fault.Is(err, fault.NotFound):
				continue // deleted meanwhile
			case fault.CodeOf(err) == scheduler.CodeDamaged:
				s.tell(ctx, jobFile(at), err)
				continue
			case err == nil:
				s.told.Delete(jobFile(at))
				e.Progress, err = s.progress(ctx, at)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// addresses returns where jobs lie, of one owner or of all, sorted by id.
func (s *store) addresses(owner access.Candidate, after string) ([]scheduler.Address, error) {
	prefix := jobsFolder
	if !owner.IsZero() {
		prefix += owner.ID() + "." + owner.Role().String() + "/"
	}
	var list []scheduler.Address
	for file, err := range s.folder.Walk(prefix, "") {
		if err != nil {
			return nil, err
		}
		if at, ok := addressOf(file); ok && at.ID > after {
			list = append(list, at)
		}
	}
	slices.SortFunc(list, func(a, b scheduler.Address) int { return cmp.Compare(a.ID, b.ID) })
	return list, nil
}

// tell names a damaged file in the log, once for each damage: jobs are listed every few seconds.
func (s *store) tell(ctx context.Context, file string, err error) {
	if before, ok := s.told.Swap(file, err.Error()); ok && before == err.Error() {
		return
	}
	s.log.ErrorContext(ctx, "a job is left out", "file", file, "error", err)
}
