package arch

import (
	"fmt"
	"go/ast"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// door is a way to the outside that only some packages may use.
type door struct {
	name  string
	uses  []string // "package path.Name", or "package path.*" for all of it
	rooms []string // patterns of packages that may
	hint  string
}

// doors are the choke points. Tests are outside: they build the worlds that the doors lead to.
func doors() []door {
	return []door{
		{
			name:  "network",
			uses:  []string{"net.Dial", "net.DialTimeout", "net.Dialer", "net.Listen", "net.ListenConfig", "net/http.Get", "net/http.Post", "net/http.PostForm", "net/http.Head", "net/http.DefaultClient", "net/http.DefaultTransport", "net/http.Transport", "net/http.Client{}", "net/http.ListenAndServe", "net/http.Server"},
			rooms: []string{"internal/egress", "internal/httpserver", "internal/testtarget/loopback", "subsystem/io/router/httprouter"},
			hint:  "go through internal/egress (component.Call.HTTP, connector.Env.HTTP)",
		},
		{
			name:  "disk",
			uses:  []string{"os.Open", "os.OpenFile", "os.OpenRoot", "os.Create", "os.CreateTemp", "os.ReadFile", "os.WriteFile", "os.ReadDir", "os.Mkdir", "os.MkdirAll", "os.MkdirTemp", "os.Remove", "os.RemoveAll", "os.Rename", "os.Stat", "os.Lstat", "os.Symlink", "os.DirFS"},
			rooms: []string{"internal/disk", "internal/conformance"},
			hint:  "go through internal/disk",
		},
		{
			name:  "untrusted text",
			uses:  []string{"encoding/json.*", "encoding/gob.*", "encoding/xml.*"},
			rooms: []string{},
			hint:  "go through value.Decode",
		},
		{
			name:  "clock",
			uses:  []string{"time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.Tick", "time.NewTicker"},
			rooms: []string{"effect", "internal/leak"},
			hint:  "go through effect.Source",
		},
		{
			name:  "randomness",
			uses:  []string{"math/rand.*", "math/rand/v2.*", "crypto/rand.*"},
			rooms: []string{"effect"},
			hint:  "go through effect.Source",
		},
		{
			name:  "environment",
			uses:  []string{"os.Getenv", "os.LookupEnv", "os.Environ", "os.Setenv"},
			rooms: []string{"cmd/sre"},
			hint:  "take a getenv function",
		},
		{
			name:  "processes",
			uses:  []string{"os/exec.*", "os.StartProcess", "syscall.*", "unsafe.Pointer", "unsafe.String", "unsafe.StringData", "unsafe.Slice", "plugin.*"},
			rooms: []string{"cmd/sre", "internal/disk", "internal/egress"},
			hint:  "nothing here starts processes",
		},
	}
}

func checkDoors(files []*file) []string {
	var findings []string
	for _, f := range files {
		if f.test {
			continue
		}
		for _, d := range doors() {
			if slices.ContainsFunc(d.rooms, func(room string) bool { return matches(room, f.pkg) }) {
				continue
			}
			for _, use := range usesOf(f, d.uses) {
				findings = append(findings, fmt.Sprintf("%s: uses %s around the door of the %s: %s", f.path, use, d.name, d.hint))
			}
		}
	}
	return findings
}

// usesOf returns which of the names a file uses, each once.
func usesOf(f *file, names []string) []string {
	local := map[string]string{} // name in the file -> path
	var found []string
	for _, s := range f.ast.Imports {
		p, _ := strconv.Unquote(s.Path.Value)
		name := p[strings.LastIndexByte(p, '/')+1:]
		if name == "v2" {
			name = "rand"
		}
		if s.Name != nil {
			name = s.Name.Name
		}
		local[name] = p
		if slices.Contains(names, p+".*") {
			found = append(found, p)
		}
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if sel, ok := n.Type.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(names, local[x.Name]+"."+sel.Sel.Name+"{}") {
					found = append(found, local[x.Name]+"."+sel.Sel.Name)
				}
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Obj == nil && slices.Contains(names, local[x.Name]+"."+n.Sel.Name) {
				found = append(found, local[x.Name]+"."+n.Sel.Name)
			}
		}
		return true
	})
	slices.Sort(found)
	return slices.Compact(found)
}

// TestT05_ForgottenDoors: nothing goes around the doors.
func TestT05_ForgottenDoors(t *testing.T) {
	t.Parallel()
	report(t, checkDoors(tree(t)))
}

func TestT05_ForgottenDoors_Finds(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"import \"net/http\"\nvar _ = http.Get", "import \"net/http\"\nvar _ = http.Client{}", "import web \"net/http\"\nvar _ = web.DefaultClient",
		"import \"net\"\nvar _ = net.Dial", "import \"os\"\nvar _ = os.ReadFile", "import \"time\"\nvar _ = time.Now",
		"import _ \"encoding/json\"", "import _ \"math/rand/v2\"", "import _ \"crypto/rand\"", "import \"os\"\nvar _ = os.Getenv", "import _ \"os/exec\"",
	} {
		if got := find(t, checkDoors, "components/x/x.go", "package x\n"+body); len(got) != 1 {
			t.Errorf("%s: found %q, want one finding", body, got)
		}
	}
	if got := find(t, checkDoors, "components/x/x.go", "package x\nimport \"net/http\"\nfunc f(c *http.Client) {}"); len(got) != 0 {
		t.Errorf("a client that was given: found %q, want nothing", got)
	}
}
