package sre_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/aclform"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/internal/chunk"
	"github.com/sre-go/sre/internal/conformance"
	"github.com/sre-go/sre/internal/conformance/kernelops"
	"github.com/sre-go/sre/internal/openapi"
	"github.com/sre-go/sre/internal/publicfile"
	"github.com/sre-go/sre/internal/smythfs"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/subsystem/agent/scheduler"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// TestConformance_Kernel runs the recorded cases below the level of agents: those whose ops are about a service
// that stands below the models, and of vectors, which models make.
func TestConformance_Kernel(t *testing.T) {
	t.Parallel()
	s := conformance.Run(t, bootKernel, conformance.Options{Folders: os.Getenv(conformance.FoldersVariable), Areas: []string{"kernel"}, Select: servable})
	if n := len(s.Outcomes); n < 15 {
		t.Errorf("%d cases ran, want those of the area", n)
	}
}

// servable reports whether every op of a case is one of a service that this runtime has.
func servable(c *conformance.Case) bool {
	if c.Kind != conformance.KindKernel {
		return false
	}
	for _, op := range c.Ops {
		service, _, _ := strings.Cut(op.Name, ".")
		switch service {
		case "models", "llm", "binary":
			return false
		}
	}
	return true
}

// operating is a runtime without agents that does ops.
type operating struct {
	*subject
	pure *kernelops.Ops
	rt   *sre.Runtime
}

func bootKernel(t testing.TB, env conformance.Environment) conformance.Subject {
	s := &operating{subject: &subject{t, env}, pure: kernelops.New(env)}
	s.write("vault.json", env.Vault)
	s.write("account.json", env.Accounts)
	s.writeModels()
	rt, err := sre.Start(t.Context(), std.Set(), sre.WithDir(env.Folder), sre.WithConfig(config()),
		sre.WithMachine("", "", func(name string) string { return conformance.EnvironmentVariables()[name] }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	s.rt = rt
	return s
}

// Operate implements [conformance.Operator].
func (s *operating) Operate(ctx context.Context, agent value.Value, op conformance.Op) (value.Value, error) {
	v, err := s.operate(ctx, agent, op)
	var f *fault.Error
	if fault.Is(err, fault.Denied) {
		return v, errors.New("Access Denied")
	}
	if errors.As(err, &f) && f.Err != nil {
		return v, f.Err
	}
	return v, err
}

func (s *operating) operate(ctx context.Context, agent value.Value, op conformance.Op) (value.Value, error) {
	f := op.Fields
	as := func() (scope.Scope, error) {
		c, err := access.Parse(f.GetString("candidate"))
		return s.rt.As(c), err
	}
	switch op.Name {
	case "account", "cache", "nkv", "vault", "vectordb":
		own, err := as()
		if err != nil {
			return value.Value{}, err
		}
		switch op.Name {
		case "account":
			return accountOp(ctx, own, f)
		case "cache":
			return cacheOp(ctx, own, f)
		case "nkv":
			return nkvOp(ctx, own, f)
		case "vectordb":
			return vectorOp(ctx, own, f)
		}
		return vaultOp(ctx, own, f)
	case "smythfs":
		own, err := as()
		if err != nil {
			return value.Value{}, err
		}
		return filesOp(ctx, own, f)
	case "storage.files":
		return s.files(ctx, f.GetString("match"))
	case "chunk":
		s := chunk.Splitter{Size: 512, Overlap: 100} // what the reference does when nothing is said
		if f.Has("chunkSize") {
			s.Size = number(f, "chunkSize")
		}
		if f.Has("chunkOverlap") {
			s.Overlap = number(f, "chunkOverlap")
		}
		pieces, err := s.Split(f.GetString("text"))
		return value.Strings(pieces), err
	case "schedule":
		return scheduleOp(f.Get("data")), nil
	case "openapi":
		return s.openapi(agent, f)
	case "sleep":
		return value.OfBool(true), effect.System{}.Sleep(ctx, time.Duration(number(f, "ms"))*time.Millisecond)
	}
	return s.pure.Operate(ctx, agent, op)
}

func number(f value.Value, name string) int {
	n, _ := f.Get(name).Num()
	return int(n)
}

func accountOp(ctx context.Context, as scope.Scope, f value.Value) (value.Value, error) {
	h := as.Account()
	switch f.GetString("fn") {
	case "isMember":
		in, err := h.IsMember(ctx, f.GetString("team"))
		return value.OfBool(in), err
	case "team":
		team, err := h.Team(ctx)
		return value.Of(team), err
	}
	first := f.Get("args").At(0).Text()
	switch method := f.GetString("method"); method {
	case "getTeam", "getCandidateTeam":
		team, err := h.Team(ctx)
		return value.Of(team), err
	case "getTeamSetting":
		return h.TeamSetting(ctx, first)
	case "getUserSetting", "getAgentSetting":
		return h.Setting(ctx, first)
	case "getAllTeamSettings", "getAllUserSettings":
		all, err := h.Settings(ctx)
		if method == "getAllTeamSettings" {
			all, err = h.TeamSettings(ctx)
		}
		var list []value.Value
		for _, m := range all.Members() {
			list = append(list, value.Obj(value.M("key", value.Of(m.Key)), value.M("value", m.Value)))
		}
		return value.OfItems(list), err
	}
	return value.Value{}, fault.Newf(fault.Unsupported, "no such op")
}

func cacheOp(ctx context.Context, as scope.Scope, f value.Value) (value.Value, error) {
	h, key := as.Cache(), f.GetString("key")
	ttl := time.Duration(number(f, "ttl")) * time.Second
	orNull := func(v value.Value, found bool, err error) (value.Value, error) {
		if !found && err == nil {
			v = value.NullValue()
		}
		return v, err
	}
	switch f.GetString("fn") {
	case "set":
		o := cache.Options{TTL: ttl, Metadata: f.Get("metadata")}
		if grants := f.Get("acl"); grants.IsObject() {
			acl, err := kernelops.ACL(grants)
			if err != nil {
				return value.Value{}, err
			}
			o.ACL = acl
		}
		return value.OfBool(true), h.Set(ctx, key, f.Get("value"), o)
	case "get":
		return orNull(h.Get(ctx, key))
	case "exists":
		found, err := h.Exists(ctx, key)
		return value.OfBool(found), err
	case "delete":
		return value.Value{}, h.Delete(ctx, key)
	case "getTTL":
		left, found, err := h.TTL(ctx, key)
		if !found || left == 0 {
			return value.OfInt(-1), err
		}
		return value.OfInt(int(left.Round(time.Second).Seconds())), err
	case "updateTTL":
		return value.Value{}, h.UpdateTTL(ctx, key, ttl)
	case "getACL":
		acl, err := h.ACL(ctx, key)
		return aclform.Value(acl), err
	case "getMetadata":
		m, found, err := h.Metadata(ctx, key)
		if err != nil || !found {
			return orNull(m, found, err)
		}
		acl, err := h.ACL(ctx, key)
		return m.With("acl", aclform.Value(acl)), err
	case "setMetadata":
		return value.Value{}, h.SetMetadata(ctx, key, f.Get("metadata"))
	}
	return value.Value{}, fault.Newf(fault.Unsupported, "no such op")
}

func nkvOp(ctx context.Context, as scope.Scope, f value.Value) (value.Value, error) {
	h, args := as.NKV(), f.Get("args")
	ns, key := args.At(0).Text(), args.At(1).Text()
	switch f.GetString("fn") {
	case "set":
		return value.Value{}, h.Set(ctx, ns, key, args.At(2))
	case "get":
		v, found, err := h.Get(ctx, ns, key)
		if !found {
			v = value.NullValue()
		}
		return v, err
	case "exists":
		found, err := h.Exists(ctx, ns, key)
		return value.OfBool(found), err
	case "delete":
		return value.Value{}, h.Delete(ctx, ns, key)
	case "deleteAll":
		return value.Value{}, h.DeleteAll(ctx, ns)
	case "list":
		all, err := h.List(ctx, ns, nkv.Page{})
		list := make([]value.Value, len(all.Items))
		for i, it := range all.Items {
			list[i] = value.Obj(value.M("key", value.Of(it.Key)), value.M("data", it.Value))
		}
		return value.OfItems(list), err
	}
	return value.Value{}, fault.Newf(fault.Unsupported, "no such op")
}

func vaultOp(ctx context.Context, as scope.Scope, f value.Value) (value.Value, error) {
	h, key := as.Vault(), f.GetString("key")
	switch f.GetString("fn") {
	case "get":
		v, err := h.Get(ctx, key)
		return value.Of(v.Reveal()), err
	case "exists":
		found, err := h.Exists(ctx, key)
		return value.OfBool(found), err
	case "listKeys":
		keys, err := h.List(ctx)
		return value.Strings(keys), err
	}
	return value.Value{}, fault.Newf(fault.Unsupported, "no such op")
}

// filesOp does what the reference does with the address of a file, as its candidate.
func filesOp(ctx context.Context, as scope.Scope, f value.Value) (value.Value, error) {
	if f.GetString("fn") == "getBaseUri" {
		c := as.Candidate()
		return value.Of(smythfs.Scheme + c.ID() + "." + c.Role().String()), nil
	}
	uri, err := smythfs.Parse(f.GetString("uri"))
	if err != nil {
		return value.Value{}, errors.New("Invalid Resource URI") // the reason beside it is ours
	}
	team, err := as.Account().Team(ctx)
	if err != nil {
		return value.Value{}, err
	}
	name, public := uri.Name(team), publicfile.Maker{Scope: as, Effects: effect.System{}}
	switch f.GetString("fn") {
	case "write":
		o := storage.Options{Metadata: f.Get("metadata")}
		if uri.Owner.Role() != access.RoleTeam { // files of teams are read by their teams, as the reference has it
			return value.Value{}, as.Storage().Write(ctx, name, []byte(f.GetString("value")), o)
		}
		o.ACL = access.NewACL().With(as.Candidate(), access.RightOwner).With(uri.Owner, access.RightRead)
		return value.Value{}, as.Storage().Write(ctx, name, []byte(f.GetString("value")), o)
	case "read":
		data, err := as.Storage().Read(ctx, name)
		if fault.Is(err, fault.NotFound) {
			return value.NullValue(), nil
		}
		return value.Of(string(data)), err
	case "getMetadata":
		m, err := as.Storage().Metadata(ctx, name)
		if err != nil {
			return value.Value{}, err
		}
		acl, err := as.Storage().ACL(ctx, name)
		return m.With("acl", aclform.Value(acl)), err
	case "exists":
		there, err := as.Storage().Exists(ctx, name)
		return value.OfBool(there), err
	case "delete":
		return value.Value{}, as.Storage().Delete(ctx, name)
	case "genTempUrl":
		address, err := public.Temporary(ctx, uri, 0)
		return value.Of(address), err
	case "genResourceUrl":
		address, err := public.Resource(ctx, uri)
		return value.Of(address), err
	}
	return value.Value{}, fault.Newf(fault.Unsupported, "no such op")
}

// files are the files whose names hold a text, as their owners see them.
func (s *operating) files(ctx context.Context, match string) (value.Value, error) {
	owner, _, _ := strings.Cut(match, "/")
	b := value.NewBuilder(1)
	for _, parse := range []func(string) (access.Candidate, error){access.Agent, access.User} {
		c, err := parse(owner)
		if err != nil {
			return value.Value{}, err
		}
		list, err := s.rt.As(c).Storage().List(ctx, "teams/", storage.Page{})
		if err != nil {
			continue // nothing of a candidate of that kind
		}
		for _, it := range list.Objects {
			if data, err := s.rt.As(c).Storage().Read(ctx, it.Name); err == nil && strings.Contains(it.Name, match) {
				b.Set(it.Name, value.Of(string(data)))
			}
		}
	}
	return b.Build(), nil
}

func scheduleOp(data value.Value) value.Value {
	result := value.Obj(value.M("valid", value.OfBool(true)))
	if _, err := scheduler.ParseSchedule(data); err != nil {
		var f *fault.Error
		text := err.Error()
		if errors.As(err, &f) && f.Err != nil {
			text = f.Err.Error()
		}
		result = value.Obj(value.M("valid", value.OfBool(false)), value.M("error", value.Of(text)))
	}
	return value.Obj(value.M("validate", result))
}

// openapi describes the agent of the case, or one that the environment knows by its id.
func (s *operating) openapi(file, f value.Value) (value.Value, error) {
	if id := f.GetString("agentId"); id != "" {
		file = value.Value{}
		for _, known := range s.env.Agents {
			if known.GetString("id") == id || known.Get("data").GetString("id") == id {
				file = known
			}
		}
		if file.IsAbsent() {
			return value.Value{}, fault.Newf(fault.NotFound, "Agent with id %s not found", id)
		}
	}
	l := s.rt.Limits()
	doc, err := agentfile.FromValue(file, agentfile.Bounds{Bytes: l.SmythBytes, Components: l.SmythComponents, Depth: l.JSONDepth, Values: l.JSONValues})
	if err != nil {
		return value.Value{}, err
	}
	return openapi.Document(doc, openapi.Options{Server: f.GetString("server"), Version: f.GetString("version"), ForModels: f.Get("aiOnly").Truthy()}), nil
}
