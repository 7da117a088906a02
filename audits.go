package sre

import (
	"context"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/audit"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/value"
)

// AuditSettings returns the schema of the section "audit" of the configuration, for reference pages.
func AuditSettings() schema.Object { return audit.Schema() }

// AuditFolder returns where a runtime with that set and those options keeps its audit, without starting one. It is "" when
// there is no place for it.
func AuditFolder(set Set, opts ...Option) (string, error) {
	o, err := newOptions(opts)
	if err != nil {
		return "", err
	}
	if err := o.locate(); err != nil {
		return "", err
	}
	config, err := o.configuration(set)
	if err != nil {
		return "", err
	}
	s, err := auditSettings(config.Audit.Value, config.Audit.Origin, o.dir)
	return s.Folder, err
}

func auditSettings(section value.Value, origin, dir string) (audit.Settings, error) {
	s, err := audit.FromConfig(section, dir)
	if err != nil {
		return s, &fault.Error{Op: "config", Resource: "audit in " + origin, Kind: fault.Invalid, Err: err}
	}
	return s, nil
}

// record readies the audit and returns what writes into it; nil when secrets are not to be handed out. A runtime without
// a data folder has no place for an audit, so it hands out none unless the configuration does without one.
func (rt *Runtime) record(events *event.Bus) (func(context.Context, access.Decision) error, error) {
	section := rt.config.Audit
	s, err := auditSettings(section.Value, section.Origin, rt.dir)
	if err != nil {
		return nil, err
	}
	switch {
	case s.Enabled && s.Folder != "":
		rt.audit = audit.New(audit.Options{
			Folder: s.Folder, MaxBytes: int64(s.MaxBytes), MaxFiles: s.MaxFiles, Effects: rt.effects, Secrets: rt.secrets, Log: rt.log,
		})
		rt.audit.Listen(events)
		return rt.audit.Record, nil
	case !s.Required:
		return func(ctx context.Context, d access.Decision) error {
			event.Publish(ctx, events, d)
			return nil
		}, nil
	}
	rt.unaudited = true
	return nil, nil
}

// checkAudit adds the audit to what is known of the health of the parts.
func (rt *Runtime) checkAudit(ctx context.Context, health map[string]error) {
	switch {
	case rt.audit != nil:
		health["Audit"] = rt.audit.Check(ctx)
	case rt.unaudited:
		err := fault.Newf(fault.Unavailable, "the audit is required and there is none: secrets are not handed out")
		health["Audit"] = fault.Hint(err, "set audit.enabled to true and give it a folder, or audit.required to false")
	}
}

// closeAudit brings the audit to the disk, after everything else has ended.
func (rt *Runtime) closeAudit(ctx context.Context) error {
	if rt.audit == nil {
		return nil
	}
	return rt.audit.Close(ctx)
}
