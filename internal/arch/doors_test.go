package arch

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// door is a way to the outside that only some packages may use.
type door struct {
	name  string
	uses  []string // "path.Name", "path.Type{}" for making a value of a type, or "path.*" for importing it at all
	rooms []string // patterns of packages that may
	hint  string
}

// doors are the choke points. Tests are outside: they build the worlds that the doors lead to.
func doors() []door {
	return []door{
		{
			name: "network",
			uses: []string{
				"net.Dial", "net.DialTimeout", "net.DialTCP", "net.DialUDP", "net.DialUnix", "net.DialIP", "net.Dialer",
				"net.Listen", "net.ListenTCP", "net.ListenUDP", "net.ListenUnix", "net.ListenPacket", "net.ListenConfig",
				"net.DefaultResolver", "net.Resolver", "net.LookupHost", "net.LookupIP", "net.LookupAddr", "net.LookupCNAME", "net.LookupMX", "net.LookupTXT",
				"net/http.Get", "net/http.Post", "net/http.PostForm", "net/http.Head", "net/http.DefaultClient", "net/http.DefaultTransport", "net/http.Transport", "net/http.Client{}",
				"net/http.ListenAndServe", "net/http.ListenAndServeTLS", "net/http.Serve", "net/http.ServeTLS", "net/http.Server", "net/http.Handle", "net/http.HandleFunc", "net/http.DefaultServeMux",
				"crypto/tls.Dial", "crypto/tls.DialWithDialer", "crypto/tls.Dialer", "crypto/tls.Listen",
				"github.com/coder/websocket.Dial", "github.com/gorilla/websocket.*", "golang.org/x/net/websocket.*", "golang.org/x/net/proxy.*", "net/http/httputil.ReverseProxy", "net/http/httputil.NewSingleHostReverseProxy",
				"net/http/httptest.*", "net/http/pprof.*", "net/rpc.*", "net/smtp.*", "log/syslog.*", "expvar.*",
			},
			rooms: []string{"internal/egress", "internal/httpserver", "internal/testtarget/loopback", "subsystem/io/router/httprouter"},
			hint:  "go through internal/egress (component.Call.HTTP, connector.Env.HTTP)",
		},
		{
			name: "disk",
			uses: []string{
				"os.Open", "os.OpenFile", "os.OpenRoot", "os.OpenInRoot", "os.Create", "os.CreateTemp", "os.NewFile", "os.DirFS", "os.CopyFS",
				"os.ReadFile", "os.WriteFile", "os.ReadDir", "os.Readlink", "os.Stat", "os.Lstat", "os.Mkdir", "os.MkdirAll", "os.MkdirTemp",
				"os.Remove", "os.RemoveAll", "os.Rename", "os.Link", "os.Symlink", "os.Truncate", "os.Chmod", "os.Chown", "os.Lchown", "os.Chtimes", "os.Chdir",
				"path/filepath.Walk", "path/filepath.WalkDir", "path/filepath.Glob", "path/filepath.EvalSymlinks", "io/ioutil.*",
			},
			rooms: []string{"internal/disk", "internal/conformance"}, // the second reads its recorded cases
			hint:  "go through internal/disk",
		},
		{
			name:  "embedded database",
			uses:  []string{"database/sql.*", "modernc.org/sqlite.*", "modernc.org/sqlite/lib.*"},
			rooms: []string{"internal/sqlite"},
			hint:  "go through internal/sqlite",
		},
		{
			name:  "redis client",
			uses:  []string{"github.com/redis/go-redis/v9.*", "github.com/redis/go-redis/v9/maintnotifications.*"},
			rooms: []string{"internal/redis"},
			hint:  "go through internal/redis",
		},
		{
			name:  "untrusted text",
			uses:  []string{"encoding/json.*", "encoding/json/v2.*", "encoding/json/jsontext.*", "encoding/gob.*", "encoding/xml.*", "encoding/asn1.*", "html/template.*", "text/template.*"},
			rooms: nil,
			hint:  "go through value.Decode",
		},
		{
			name:  "clock",
			uses:  []string{"time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.Tick", "time.NewTicker", "time.NewTimer"},
			rooms: []string{"effect", "internal/leak"}, // the second is imported by the tests of the first
			hint:  "go through effect.Source",
		},
		{
			name:  "randomness",
			uses:  []string{"math/rand.*", "math/rand/v2.*", "crypto/rand.*", "hash/maphash.*"},
			rooms: []string{"effect"},
			hint:  "go through effect.Source",
		},
		{
			name:  "environment",
			uses:  []string{"os.Getenv", "os.LookupEnv", "os.Environ", "os.ExpandEnv", "os.Setenv", "os.Unsetenv", "os.Clearenv", "os.UserHomeDir", "os.UserConfigDir", "os.UserCacheDir", "os.TempDir", "os.Getwd", "os.Hostname"},
			rooms: []string{"internal/kernel", "cmd/*", "internal/redis/redistest"}, // the last tells tests where their server is
			hint:  "take a getenv function",
		},
		{
			name:  "terminal and exit",
			uses:  []string{"os.Exit", "os.Args", "os.Stdin", "os.Stdout", "os.Stderr", "fmt.Print", "fmt.Println", "fmt.Printf", "os/signal.*", "log.*", "flag.*"},
			rooms: []string{"cmd/*", "internal/leak"}, // the second reports to whoever runs the tests
			hint:  "return an error, take a writer or a slog.Logger",
		},
		{
			name:  "processes",
			uses:  []string{"os/exec.*", "os.StartProcess", "os.FindProcess", "plugin.*"},
			rooms: []string{"internal/childprocess"},
			hint:  "go through internal/childprocess",
		},
		{
			name:  "machine",
			uses:  []string{"syscall.*", "golang.org/x/sys/unix.*", "golang.org/x/sys/windows.*", "unsafe.Pointer", "unsafe.String", "unsafe.StringData", "unsafe.Slice", "unsafe.SliceData", "unsafe.Add", "runtime/debug.SetGCPercent", "runtime/debug.SetMemoryLimit", "runtime/debug.SetMaxStack", "runtime/debug.SetMaxThreads", "runtime/debug.SetPanicOnFault", "runtime/debug.FreeOSMemory", "runtime.GC", "runtime.GOMAXPROCS", "runtime.SetFinalizer"},
			rooms: []string{"cmd/sre", "internal/disk", "internal/egress", "internal/childprocess"}, // signals, locks, the address of a socket, groups of processes
			hint:  "the standard library has a safe form of it",
		},
		{
			name:  "grants",
			uses:  []string{module + "/access.Authorize"},
			rooms: []string{"subsystem/*/*", "subsystem/*/*/*test", "internal/conformance/kernelops"},
			hint:  "only a guarded service turns an ACL into a grant: use its handle",
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
	imports := f.importNames()
	var found []string
	for _, p := range imports {
		if slices.Contains(names, p+".*") {
			found = append(found, p)
		}
	}
	used := func(e ast.Expr, suffix string) {
		sel, ok := e.(*ast.SelectorExpr)
		if !ok {
			return
		}
		if x, ok := sel.X.(*ast.Ident); ok && !local(x) {
			if name := imports[x.Name] + "." + sel.Sel.Name; slices.Contains(names, name+suffix) {
				found = append(found, name)
			}
		}
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			used(n, "")
		case *ast.CompositeLit: // and the other ways to make one instead of being given one
			used(n.Type, "{}")
		case *ast.ValueSpec:
			used(n.Type, "{}")
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && id.Name == "new" && len(n.Args) == 1 {
				used(n.Args[0], "{}")
			}
		case *ast.Field:
			used(n.Type, "{}") // held by value: its zero value is one, too
		}
		return true
	})
	slices.Sort(found)
	return slices.Compact(found)
}

// TestT05_ForgottenDoors: nothing goes around a door without being found. Over the module TestModule runs the check.
func TestT05_ForgottenDoors(t *testing.T) {
	t.Parallel()
	var samples []sample
	for _, d := range doors() { // each name of each door
		for _, use := range d.uses {
			i := strings.LastIndexByte(use, '.')
			p, name := use[:i], use[i+1:]
			text := fmt.Sprintf("package x\nimport p %q\nvar _ = p.%s", p, name)
			if name == "*" {
				text = fmt.Sprintf("package x\nimport _ %q", p)
			}
			samples = append(samples, sample{use, "newroom/x.go", text, 1}, sample{use + " in a test", "newroom/x_test.go", text, 0})
			for _, room := range d.rooms {
				room = strings.ReplaceAll(room, "*", "x")
				samples = append(samples, sample{use + " in its room", room + "/x.go", text, 0})
			}
		}
	}
	const head = "package x\nimport \"net/http\"\n"
	tests(t, checkDoors, append(samples,
		sample{"a client that was given", "x/x.go", head + "func f(c *http.Client) {}", 0},
		sample{"a new client", "x/x.go", head + "var c = new(http.Client)", 1},
		sample{"a zero client", "x/x.go", head + "func f() { var c http.Client; c.Get(``) }", 1},
		sample{"a client in a struct", "x/x.go", head + "type s struct { c http.Client }", 1},
		sample{"a variable named like the package", "x/x.go", "package x\nimport \"os\"\nvar _ = os.O_RDONLY\nfunc f(os s) { os.Open() }", 0},
		sample{"another package of the name", "x/x.go", "package x\nimport \"example.com/os\"\nvar _ = os.Open", 0},
		sample{"a major version", "x/x.go", "package x\nimport \"math/rand/v2\"\nvar _ = rand.Int", 1},
	))
}
