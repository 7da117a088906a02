package kernelops_test

import (
	"context"
	"os"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/conformance"
	"github.com/sre-go/sre/internal/conformance/kernelops"
	"github.com/sre-go/sre/value"
)

// subject is a runtime without agents.
type subject struct{ *kernelops.Ops }

func (subject) Deploy(context.Context, value.Value) (conformance.Agent, error) {
	return nil, fault.Newf(fault.Unsupported, "there are no agents here")
}

var _ conformance.Operator = subject{}

func TestRecorded(t *testing.T) {
	t.Parallel()
	boot := func(_ testing.TB, env conformance.Environment) conformance.Subject {
		return subject{kernelops.New(env)}
	}
	s := conformance.Run(t, boot, conformance.Options{Folders: os.Getenv(conformance.FoldersVariable), Select: kernelops.Knows})
	if os.Getenv(conformance.FoldersVariable) == "" && len(s.Outcomes) < 15 {
		t.Errorf("%d cases ran, want at least 15", len(s.Outcomes))
	}
}

// The recordings at hand do not have these; others may.
func TestOperate(t *testing.T) {
	t.Parallel()
	parse := func(text string) value.Value {
		v, err := value.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	ops := kernelops.New(conformance.Environment{
		Vault:    parse(`{"default":{"A":"shared","B":"b"},"team-a":{"A":"own"}}`),
		Accounts: parse(`{"team-a":{"agents":{"agent-a":{}},"users":{"user-a":{}}}}`),
	})
	for name, c := range map[string]struct{ op, fields, want, refused string }{
		"raw":            {"template", `{"template":"{{o}} x","steps":[{"fn":"parseRaw","data":{"o":{"k":1}}}]}`, `{"k":1}`, ""},
		"clean":          {"template", `{"template":"a{{b}}c{{d}}","steps":[{"fn":"parse","data":{"b":1}},{"fn":"clean"}]}`, `"a1c"`, ""},
		"single":         {"template", `{"template":"{a} {{a}}","steps":[{"fn":"parse","data":{"a":1},"match":"singleCurly"}]}`, `"1 {{a}}"`, ""},
		"team keys":      {"template", `{"template":"{{KEY(A)}} {{KEY(B)}} {{KEY(C)}} {{A}}","steps":[{"fn":"teamKeys","teamId":"team-a"}]}`, `"own b {{KEY(C)}} {{A}}"`, ""},
		"unknown step":   {"template", `{"template":"","steps":[{"fn":"eval"}]}`, "", `template step "eval" is not known`},
		"full JSON":      {"json", `{"text":"{a:1}","full":true}`, `{"a":1}`, ""},
		"stored ACL":     {"acl.parse", `{"serialized":"h:none|a:agent-a/rw|p:public/n"}`, `{"acl":{"hashAlgorithm":"none","entries":{"agent":{"agent-a":["read","write"]},"public":{"public":["none"]}}},"reserialized":"h:none|a:agent-a/rw|p:public/n"}`, ""},
		"broken ACL":     {"acl.parse", `{"serialized":"h:md5"}`, "", "Hash algorithm md5 not supported"},
		"exact, stored":  {"acl.exact", `{"serialized":"h:none|a:agent-a/rw","candidate":"agent:agent-a","level":["read","write"]}`, "true", ""},
		"team of a user": {"acl.access", `{"grants":[{"role":"team","id":"team-a","level":"read"}],"candidate":"user:user-a","level":"read"}`, "true", ""},
		"unknown level":  {"acl.access", `{"grants":[{"role":"team","id":"team-a","level":"owner"}],"candidate":"team:team-a","level":["read","admin"]}`, "false", ""},
		"no level":       {"acl.access", `{"grants":[{"role":"team","id":"team-a","level":"owner"}],"candidate":"team:team-a","level":[]}`, "false", ""},
		"bad level":      {"acl.exact", `{"grants":[],"candidate":"public","level":"admin"}`, "", `unknown level "admin"`},
		"two inputs":     {"infer", `{"inputs":{"a":"1","b":"x","c":""},"config":[{"name":"a","type":"Number"},{"name":"c","type":"Number"},{"name":"d","type":"Date"}]}`, `{"a":1,"b":"x","c":""}`, ""},
		"a service":      {"cache", `{}`, "", "op cache needs a service"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ops.Operate(t.Context(), value.Value{}, conformance.Op{Name: c.op, Fields: parse(c.fields)})
			text := ""
			if err != nil {
				text = err.Error()
			}
			if got.JSON() != c.want && err == nil || text != c.refused {
				t.Errorf("Operate(%s) = %s, %q; want %s, %q", c.op, got.JSON(), text, c.want, c.refused)
			}
		})
	}
}
