// Package localscheduler keeps the jobs of the scheduler in a folder of the machine, in the files of the reference.
//
// A job is one file, jobs/<owner>.<role>/<job>.json, and what became of it
// another of the same name below .jobs.runtime. Each is replaced at once or not
// at all. A file that is damaged is an error that names it; listings go on
// without it.
//
// Several processes may share a folder: who runs a job holds the lock on a file
// beside what became of it.
package localscheduler

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/agent/scheduler"
)

type settings struct {
	Folder  string `json:"folder" sre:"allowEmpty" doc:"Folder of the jobs; made when a job is added. The default is \"scheduler\" in the data folder of the runtime."`
	RunJobs bool   `json:"runJobs" sre:"default=true" doc:"Whether servers of this runtime run the jobs. Without it they are only kept, for another process that runs them."`
	Persist bool   `json:"persistExecutionHistory" sre:"default=true" doc:"Whether it is kept how runs ended."`
	History int    `json:"maxHistoryEntries" sre:"default=100,min=0,max=10000" doc:"Outcomes that are kept of a job, the last ones."`
}

// Definition returns the connector "LocalScheduler".
func Definition() connector.Definition {
	return connector.Define(scheduler.Kind, "LocalScheduler", "Keeps jobs in a folder of this machine.", open).
		WithDoc("A job is one file for its owner only. Folders of the TypeScript runtime are used as they are. Processes that share the folder run each job once.")
}

// store implements [scheduler.Connector].
type store struct {
	folder *disk.Folder
	policy scheduler.Policy
	clock  effect.Source
	log    *slog.Logger
	told   sync.Map // damaged files that the log has heard of -> the damage
}

// abandoned is the age from which the temporary file of a write is taken for left behind.
const abandoned = 24 * time.Hour

func open(_ context.Context, env connector.Env, s settings) (scheduler.Connector, error) {
	dir := s.Folder
	if dir == "" {
		if env.Dir == "" {
			return nil, fault.Hint(fault.Newf(fault.Invalid, "there is no data folder"), "set the folder of LocalScheduler")
		}
		dir = filepath.Join(env.Dir, "scheduler")
	}
	policy := scheduler.Policy{Run: s.RunJobs, History: s.History}
	if !s.Persist {
		policy.History = 0
	}
	return newStore(disk.Later(dir), policy, env), nil
}

func newStore(f *disk.Folder, policy scheduler.Policy, env connector.Env) *store {
	s := &store{folder: f, policy: policy, clock: env.Effects, log: env.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s
}

// Policy implements [scheduler.Connector].
func (s *store) Policy() scheduler.Policy { return s.policy }

// Rights implements [scheduler.Connector].
func (s *store) Rights(_ context.Context, at scheduler.Address) (*access.ACL, string, error) {
	e, err := s.job(at)
	return e.ACL, e.Job.Agent, err
}

// Get implements [scheduler.Connector].
func (s *store) Get(ctx context.Context, g access.Grant[access.Read]) (scheduler.Entry, error) {
	e, err := s.job(scheduler.At(g))
	if err != nil {
		return scheduler.Entry{}, err
	}
	e.Progress, err = s.progress(ctx, e.Address())
	return e, err
}

// Put implements [scheduler.Connector].
func (s *store) Put(_ context.Context, g access.Grant[access.Write], e scheduler.Entry) error {
	at := scheduler.At(g)
	if there, err := s.folder.Read(jobFile(at), scheduler.MaxBytes); err == nil {
		if v, err := parse(there); err == nil && v.GetString("id") != at.ID && v.GetString("id") != "" {
			return fault.Newf(fault.Conflict, "the file of the job %q is that of %q on this disk", at.ID, v.GetString("id"))
		}
	}
	return s.folder.WriteAtomic(jobFile(at), []byte(encode(e).Indent("  ")))
}

// Keep implements [scheduler.Connector].
func (s *store) Keep(_ context.Context, g access.Grant[access.Write], p scheduler.Progress) error {
	at := scheduler.At(g)
	if _, err := s.folder.Stat(jobFile(at)); err != nil {
		return missing(err)
	}
	p.History = p.History[:min(len(p.History), s.policy.History)]
	return s.folder.WriteAtomic(progressFile(at), []byte(p.Value().Indent("  ")))
}

// Delete implements [scheduler.Connector]. The job goes first: without it the rest counts for nothing.
func (s *store) Delete(_ context.Context, g access.Grant[access.Write]) error {
	at := scheduler.At(g)
	if err := s.folder.Remove(jobFile(at)); err != nil {
		return missing(err)
	}
	for _, name := range []string{progressFile(at), leaseFile(at)} {
		if err := s.folder.Remove(name); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}

// Lease implements [scheduler.Connector].
func (s *store) Lease(_ context.Context, g access.Grant[access.Write]) (func() error, error) {
	lock, err := s.folder.Lock(leaseFile(scheduler.At(g)))
	if err != nil {
		return nil, err
	}
	return lock.Unlock, nil
}

// missing turns the error of a file that is not there into that of a job.
func missing(err error) error {
	if fault.Is(err, fault.NotFound) {
		return scheduler.Missing()
	}
	return err
}

// Start removes what writes of earlier processes left behind.
func (s *store) Start(context.Context) error {
	return s.folder.Sweep(s.clock.Now().Add(-abandoned))
}

// Check reports whether the folder can be read.
func (s *store) Check(context.Context) error {
	if !s.folder.Exists() {
		return nil // nothing was added yet
	}
	for _, err := range s.folder.Walk(jobsFolder, "") {
		return err // the first is enough
	}
	return nil
}

// Close gives the folder back.
func (s *store) Close(context.Context) error { return s.folder.Close() }

var (
	_ scheduler.Connector = (*store)(nil)
	_ connector.Starter   = (*store)(nil)
	_ connector.Checker   = (*store)(nil)
	_ connector.Closer    = (*store)(nil)
)
