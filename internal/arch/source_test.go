package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// module is the path of the module.
const module = "github.com/sre-go/sre"

// file is one parsed source file.
type file struct {
	path string // from the root of the module, with slashes
	pkg  string // folder of the package, "" for the root
	test bool
	text string
	fset *token.FileSet
	ast  *ast.File
}

// imports returns the paths a file imports.
func (f *file) imports() []string {
	var paths []string
	for _, s := range f.ast.Imports {
		p, _ := strconv.Unquote(s.Path.Value)
		paths = append(paths, p)
	}
	return paths
}

func (f *file) line(n ast.Node) int { return f.fset.Position(n.Pos()).Line }

// parse makes a file of a text; for the tests of the checks and for the module alike.
func parse(name, text string) (*file, error) {
	f := &file{path: name, test: strings.HasSuffix(name, "_test.go"), text: text, fset: token.NewFileSet()}
	if f.pkg = path.Dir(name); f.pkg == "." {
		f.pkg = ""
	}
	var err error
	f.ast, err = parser.ParseFile(f.fset, name, text, parser.ParseComments)
	return f, err
}

// tree reads all Go files of the module, tests included.
func tree(t *testing.T) []*file {
	t.Helper()
	root := filepath.Join("..", "..")
	var files []*file
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && (name == "testdata" || strings.HasPrefix(name, ".") && p != root) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		f, err := parse(filepath.ToSlash(rel), string(text))
		files = append(files, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("found %d files, want the whole module", len(files))
	}
	return files
}

// TestModule runs all checks over the module.
func TestModule(t *testing.T) {
	t.Parallel()
	files, page := tree(t), readDesign(t)
	for name, check := range map[string]func([]*file) []string{
		"imports":      checkImports,
		"doors":        checkDoors, // TestT05_ForgottenDoors tries it on each door
		"files":        checkFiles,
		"declarations": checkDeclarations,
		"variables":    checkVariables,
		"goroutines":   checkGoroutines,
		"tests":        checkTests,
		"leaks":        checkLeaks,
		"suites":       checkSuites,
		"rooms":        func(files []*file) []string { return checkRooms(files, page) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report(t, name, check(files))
		})
	}
}

// report fails a test for each finding of a check.
func report(t *testing.T, check string, findings []string) {
	t.Helper()
	for _, f := range findings {
		t.Errorf("%s: %s", check, f)
	}
}

// sample is a made-up source file and how many findings a check should have in it.
type sample struct {
	name, path, text string
	want             int
}

// tests tries a check on samples, each as a module of its own.
func tests(t *testing.T, check func([]*file) []string, samples []sample) {
	t.Helper()
	for _, s := range samples {
		if got := check([]*file{source(t, s.path, s.text)}); len(got) != s.want {
			t.Errorf("%s: found %q, want %d findings", s.name, got, s.want)
		}
	}
}

// source parses a made-up file.
func source(t *testing.T, name, text string) *file {
	t.Helper()
	f, err := parse(name, text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// local reports whether the parser found the declaration of an identifier in its own file. For names of imports and of
// the language it finds none.
func local(id *ast.Ident) bool { return declaration(id) != nil }

// declaration returns what declares an identifier in its own file, nil when that is elsewhere. It is the parser's view,
// without types; for telling an import from a variable of the same name it is enough.
func declaration(id *ast.Ident) any {
	if id.Obj == nil { //nolint:staticcheck // see above: type-checking the module would take seconds
		return nil
	}
	return id.Obj.Decl //nolint:staticcheck // as above
}
