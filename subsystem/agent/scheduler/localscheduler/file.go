package localscheduler

import (
	"context"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/aclform"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/agent/scheduler"
	"github.com/sre-go/sre/value"
)

// Where things lie.
const (
	jobsFolder     = "jobs/"
	progressFolder = ".jobs.runtime/"
	suffix         = ".json"
	leaseSuffix    = ".lock"
)

func jobFile(at scheduler.Address) string      { return jobsFolder + place(at) + suffix }
func progressFile(at scheduler.Address) string { return progressFolder + place(at) + suffix }
func leaseFile(at scheduler.Address) string    { return progressFolder + place(at) + leaseSuffix }

// place is "<id>.<role>/<job>". Ids of candidates hold no dot and those of jobs no slash, so no two meet.
func place(at scheduler.Address) string {
	return at.Owner.ID() + "." + at.Owner.Role().String() + "/" + at.ID
}

// addressOf is the inverse of jobFile, false for a file that is no job's.
func addressOf(file string) (scheduler.Address, bool) {
	rest, ok := strings.CutPrefix(file, jobsFolder)
	folder, name, found := strings.Cut(rest, "/")
	id, isJob := strings.CutSuffix(name, suffix)
	owner, role, dotted := strings.Cut(folder, ".")
	if !ok || !found || !isJob || !dotted || scheduler.ValidID(id) != nil {
		return scheduler.Address{}, false
	}
	c, err := access.Parse(role + ":" + owner)
	return scheduler.Address{Owner: c, ID: id}, err == nil
}

// encode makes the object of a job: {id, schedule, jobConfig, acl, status}.
func encode(e scheduler.Entry) value.Value {
	status := "active"
	if e.Paused {
		status = "paused"
	}
	return value.Obj(
		value.M("id", value.Of(e.ID)), value.M("schedule", e.Schedule.Value()), value.M("jobConfig", e.Job.Value()),
		value.M("acl", aclform.Value(e.ACL)), value.M("status", value.Of(status)),
	)
}

func parse(text []byte) (value.Value, error) {
	return value.Decode(text, value.Limits{Bytes: scheduler.MaxBytes, Duplicates: true}) // as JSON.parse takes them
}

// decode reads the object of a job, without its progress.
func decode(at scheduler.Address, text []byte) (scheduler.Entry, error) {
	v, err := parse(text)
	if err != nil {
		return scheduler.Entry{}, scheduler.Damaged(at, "%w", err)
	}
	e := scheduler.Entry{ID: at.ID, Owner: at.Owner}
	if id := v.GetString("id"); id != at.ID {
		return e, scheduler.Damaged(at, "the file is that of the job %.60q", id)
	}
	if e.Schedule, err = scheduler.ParseSchedule(v.Get("schedule")); err != nil {
		return e, scheduler.Damaged(at, "schedule: %w", err)
	}
	if e.Job, err = scheduler.ParseJob(v.Get("jobConfig")); err != nil {
		return e, scheduler.Damaged(at, "jobConfig: %w", err)
	}
	if e.ACL, err = aclform.Parse(v.Get("acl")); err != nil {
		return e, scheduler.Damaged(at, "acl: %w", err)
	}
	switch status := v.GetString("status"); status {
	case "active":
	case "paused":
		e.Paused = true
	default:
		return e, scheduler.Damaged(at, "status is active or paused, not %.60q", status)
	}
	return e, nil
}

// unusable reports whether what lies at a place can be no job: no regular file, a link that leads out, or too large.
func unusable(err error) bool {
	return fault.Is(err, fault.Invalid) || fault.Is(err, fault.Limit) || fault.CodeOf(err) == disk.CodePathDenied
}

// job reads a job, without its progress.
func (s *store) job(at scheduler.Address) (scheduler.Entry, error) {
	text, err := s.folder.Read(jobFile(at), scheduler.MaxBytes)
	switch {
	case unusable(err):
		return scheduler.Entry{}, scheduler.Damaged(at, "%w", err)
	case err != nil:
		return scheduler.Entry{}, missing(err)
	}
	return decode(at, text)
}

// progress reads what became of a job. What is damaged is left out: the job is due as if it had just been added.
func (s *store) progress(ctx context.Context, at scheduler.Address) (scheduler.Progress, error) {
	const most = 64 << 20 // of the longest history
	text, err := s.folder.Read(progressFile(at), most)
	if fault.Is(err, fault.NotFound) {
		return scheduler.Progress{}, nil
	}
	if err != nil && !unusable(err) {
		return scheduler.Progress{}, err
	}
	var p scheduler.Progress
	if err == nil {
		var v value.Value
		if v, err = value.Decode(text, value.Limits{Bytes: most, Values: 1 << 20, Duplicates: true}); err == nil {
			p, err = scheduler.ParseProgress(v)
		}
	}
	if err != nil {
		s.log.WarnContext(ctx, "the history of a job is lost", "job", at.ID, "owner", at.Owner.String(), "error", err)
		return scheduler.Progress{}, nil
	}
	return p, nil
}
