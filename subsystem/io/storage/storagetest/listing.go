package storagetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/value"
)

// names returns the names that a candidate is listed, page by page, sorted.
func (f *fixture) names(who, prefix string, limit int) []string {
	f.Helper()
	var names []string
	for after := ""; ; {
		list, err := f.as(who).List(f.Context(), prefix, storage.Page{After: after, Limit: limit})
		if err != nil {
			f.Fatalf("List(%q) as %s: %v", prefix, who, err)
		}
		if limit > 0 && len(list.Objects) > limit {
			f.Errorf("List gave %d objects, want at most %d", len(list.Objects), limit)
		}
		for _, o := range list.Objects {
			names = append(names, o.Name)
		}
		if after = list.Next; after == "" {
			break
		}
	}
	slices.Sort(names)
	return names
}

// wantNames checks what a candidate is listed, whatever the size of the pages.
func (f *fixture) wantNames(who, prefix string, want ...string) {
	f.Helper()
	slices.Sort(want)
	for _, limit := range []int{0, 1, 3} {
		if got := f.names(who, prefix, limit); !slices.Equal(got, want) {
			f.Errorf("List(%q) as %s by %d = %q, want %q", prefix, who, limit, got, want)
		}
	}
}

// Everybody is listed what they may read, and no name of anything else.
func listing(f *fixture) {
	team := storage.Options{ACL: access.NewACL().With(f.candidate("team:ta"), access.RightRead)}
	public := storage.Options{ACL: access.NewACL().With(access.Public(), access.RightRead)}
	writable := storage.Options{ACL: access.NewACL().With(f.candidate("agent:b1"), access.RightWrite)}
	f.write("agent:a1", "docs/private", "1", storage.Options{Metadata: value.Obj(value.M("k", value.OfInt(1)))})
	f.write("agent:a1", "docs/shared", "22", team)
	f.write("agent:a1", "docs/public", "333", public)
	f.write("agent:a1", "docs/writable", "4", writable)
	f.write("agent:b1", "docs/of-b", "5", storage.Options{})
	f.write("agent:b1", "doc", "6", storage.Options{})
	f.write("agent:a1", "teams/ta/x", "7", team)
	f.denials.Take()
	cases := []struct{ who, prefix, want string }{
		{"agent:a1", "", "docs/private docs/public docs/shared docs/writable teams/ta/x"},
		{"agent:a2", "", "docs/public docs/shared teams/ta/x"},
		{"agent:b1", "", "doc docs/of-b docs/public"},
		{"public", "", "docs/public"},
		{"agent:unknown", "", "docs/public"},
		{"agent:b1", "doc", "doc docs/of-b docs/public"},
		{"agent:b1", "docs", "docs/of-b docs/public"},
		{"agent:b1", "docs/", "docs/of-b docs/public"},
		{"agent:b1", "docs/o", "docs/of-b"},
		{"agent:b1", "teams/ta/", ""},
		{"agent:a2", "teams/ta", "teams/ta/x"},
		{"agent:a1", "nothing", ""},
	}
	for _, c := range cases {
		f.wantNames(c.who, c.prefix, strings.Fields(c.want)...)
	}
	if got := f.denials.Take(); len(got) != 0 {
		f.Errorf("listings left the records %+v, want none: leaving out is no denial", got)
	}
	list, err := f.as("agent:a1").List(f.Context(), "docs/private", storage.Page{})
	if err != nil || len(list.Objects) != 1 || list.Objects[0].Size != 1 || !value.Equal(list.Objects[0].Metadata, value.Obj(value.M("k", value.OfInt(1)))) {
		f.Errorf("List = %+v, %v, want the description of one object", list, err)
	}
}

// Pages follow each other without gap or repetition while others come and go, and Next names nothing hidden.
func listingPages(f *fixture) {
	var want []string
	for i := range 60 {
		who := []string{"agent:a1", "agent:b1"}[i%2]
		name := fmt.Sprintf("f/%c/%02d", 'a'+i%3, i)
		f.write(who, name, "x", storage.Options{})
		if who == "agent:a1" {
			want = append(want, name)
		}
	}
	f.wantNames("agent:a1", "", want...)

	seen := map[string]int{}
	gone := ""
	for after := ""; ; {
		list, err := f.as("agent:a1").List(f.Context(), "f/", storage.Page{After: after, Limit: 4})
		if err != nil {
			f.Fatal(err)
		}
		for _, o := range list.Objects {
			seen[o.Name]++
		}
		if list.Next == "" {
			break
		}
		if !slices.Contains(want, list.Next) {
			f.Errorf("Next = %q, want a name of the candidate's own", list.Next)
		}
		if after = list.Next; gone == "" {
			gone = after
			if err := f.as("agent:a1").Delete(f.Context(), gone); err != nil {
				f.Fatal(err)
			}
		}
	}
	for _, name := range want {
		if seen[name] != 1 {
			f.Errorf("%q was listed %d times, want once", name, seen[name])
		}
	}
	_, err := f.as("agent:a1").List(f.Context(), "", storage.Page{After: "../x"})
	f.wantKind("List after no name", err, fault.Invalid)
}
