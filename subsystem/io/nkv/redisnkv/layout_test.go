package redisnkv

import (
	"slices"
	"strings"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/value"
)

func teamACL(t testing.TB, id string) *access.ACL {
	t.Helper()
	team, err := access.Team(id)
	if err != nil {
		t.Fatal(err)
	}
	return access.OwnedBy(team)
}

// besideOf is what the reference writes beside a value of a team.
func besideOf(t testing.TB, team string) string {
	t.Helper()
	return value.Obj(value.M("acl", value.Of(teamACL(t, team).String()))).JSON()
}

// Plain namespaces lie where the reference has them, and no two addresses have one name.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		at   nkv.Address
		want string
	}{
		{nkv.Address{Team: "t", Namespace: "docs", Key: "k"}, "team_t:docs:k"},
		{nkv.Address{Team: "t", Namespace: "docs", Key: "a:b"}, "team_t:docs:a:b"},
		{nkv.Address{Team: "t", Namespace: "docs:a", Key: "b"}, "team_t:docs%3Aa:b"},
		{nkv.Address{Team: "t", Namespace: "docs%3Aa", Key: "b"}, "team_t:docs%253Aa:b"},
		{nkv.Address{Team: "t", Namespace: "docs", Key: "%3Aa:b"}, "team_t:docs:%3Aa:b"},
		{nkv.Address{Team: "t", Namespace: "doc", Key: "s:b"}, "team_t:doc:s:b"},
		{nkv.Address{Team: "t-docs", Namespace: "x", Key: "b"}, "team_t-docs:x:b"},
	} {
		if got := nameOf(c.at); got != c.want {
			t.Errorf("nameOf(%+v) = %q, want %q", c.at, got, c.want)
		}
	}
}

// Nothing but what was stored at an address is read there: every changed byte of a record is found.
func TestT46_ChangedRecord(t *testing.T) {
	t.Parallel()
	at := nkv.Address{Team: "t", Namespace: "ns", Key: "k"}
	record, err := encode(at, value.Obj(value.M("a", value.OfInt(1))))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := decode(at, record, ""); err != nil || v.JSON() != `{"a":1}` {
		t.Fatalf("decode = %s, %v", v.JSON(), err)
	}
	for i := range record {
		for _, bit := range []byte{1, 0x20, 0x80} {
			bad := []byte(record)
			bad[i] ^= bit
			if v, err := decode(at, string(bad), ""); fault.CodeOf(err) != nkv.CodeDamaged {
				t.Errorf("byte %d changed: decode = %s, %v, want %s", i, v.JSON(), err, nkv.CodeDamaged)
			}
		}
		if v, err := decode(at, record[:i], ""); fault.CodeOf(err) != nkv.CodeDamaged {
			t.Errorf("cut at %d: decode = %s, %v, want %s", i, v.JSON(), err, nkv.CodeDamaged)
		}
	}
	for name, elsewhere := range map[string]nkv.Address{
		"another key":       {Team: "t", Namespace: "ns", Key: "l"},
		"another namespace": {Team: "t", Namespace: "nt", Key: "k"},
		"another team":      {Team: "u", Namespace: "ns", Key: "k"},
		"a shifted border":  {Team: "t", Namespace: "n", Key: "sk"},
	} {
		if v, err := decode(elsewhere, record, ""); fault.CodeOf(err) != nkv.CodeDamaged {
			t.Errorf("moved to %s: decode = %s, %v, want %s", name, v.JSON(), err, nkv.CodeDamaged)
		}
	}
}

// Values of the reference are read by the rights beside them; anything else beside a value gives nothing.
func TestDecode_Reference(t *testing.T) {
	t.Parallel()
	at := nkv.Address{Team: "t", Namespace: "ns", Key: "k"}
	record, err := encode(at, value.Of("x"))
	if err != nil {
		t.Fatal(err)
	}
	mine := besideOf(t, "t")
	for name, c := range map[string]struct {
		text, beside, want string
		code               string
	}{
		"text":               {"plain text", mine, `"plain text"`, ""},
		"JSON is text":       {`{"a":1}`, mine, `"{\"a\":1}"`, ""},
		"empty":              {"", mine, `""`, ""},
		"of another team":    {"x", besideOf(t, "u"), "", nkv.CodeDamaged},
		"record":             {record, mine, "", nkv.CodeDamaged},
		"nothing beside":     {"x", "", "", nkv.CodeDamaged},
		"no JSON":            {"x", "{", "", nkv.CodeDamaged},
		"no ACL":             {"x", "{}", "", nkv.CodeDamaged},
		"ACL is a number":    {"x", `{"acl":1}`, "", nkv.CodeDamaged},
		"ACL is garbage":     {"x", `{"acl":"h:none|q:x"}`, "", nkv.CodeDamaged},
		"a type by name":     {"x", `{"lc":1,"type":"constructor","id":["os","system"]}`, "", nkv.CodeDamaged},
		"a list":             {"x", `[]`, "", nkv.CodeDamaged},
		"no text":            {"\xff", mine, "", nkv.CodeDamaged},
		"one of the cache":   {`"x"`, labelMagic + "G 0 0 x y\n", "", "NOT_FOUND"},
		"too much of a text": {strings.Repeat("x", nkv.MaxValueBytes+1), mine, "", nkv.CodeDamaged},
	} {
		v, err := decode(at, c.text, c.beside)
		if c.code == "" && (err != nil || v.JSON() != c.want) || c.code != "" && (fault.CodeOf(err) != c.code || !v.IsAbsent()) {
			t.Errorf("%s: decode = %.60s, %v, want %s or %s", name, v.JSON(), err, c.want, c.code)
		}
	}
}

// A page of keys is the smallest of them, in order and each once, however they come.
func TestSmallest(t *testing.T) {
	t.Parallel()
	if got, more := smallest([]string{"c", "a", "b", "a"}, false); more || !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("smallest = %q, %v, want a, b, c", got, more)
	}
	many := make([]string, 0, 2*pageKeys)
	for i := range 2 * pageKeys {
		many = append(many, strings.Repeat("x", i%100)+string(rune('a'+i/100)))
	}
	want := slices.Clone(many)
	slices.Sort(want)
	got, more := smallest(many, false)
	if !more || !slices.Equal(got, want[:pageKeys]) {
		t.Errorf("smallest of many gives %d keys, %v, want the first %d", len(got), more, pageKeys)
	}
	if _, more := smallest([]string{"a"}, true); !more {
		t.Error("smallest forgot that keys were left out before")
	}
}

// Whatever is stored, decoding it ends with a value or with an error, and what it gives as a record encodes to itself.
func FuzzDecode(f *testing.F) {
	at := nkv.Address{Team: "t", Namespace: "ns", Key: "k"}
	record, err := encode(at, value.Of("x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(record, "")
	f.Add("text", besideOf(f, "t"))
	f.Add("text", `{"acl":""}`)
	f.Add(magic+strings.Repeat("0", sumLength)+"\nnull", "")
	f.Add("", "SRE1 x")
	f.Fuzz(func(t *testing.T, text, beside string) {
		v, err := decode(at, text, beside)
		switch {
		case err != nil && fault.CodeOf(err) != nkv.CodeDamaged && !fault.Is(err, fault.NotFound):
			t.Errorf("decode = %v, want damage or nothing", err)
		case err == nil && v.IsAbsent():
			t.Error("decode gives neither a value nor an error")
		case err == nil && beside == "":
			again, err := encode(at, v)
			if w, werr := decode(at, again, ""); err != nil || werr != nil || !value.Equal(v, w) {
				t.Errorf("%s comes back as %s, %v, %v", v.JSON(), w.JSON(), err, werr)
			}
		}
	})
}
