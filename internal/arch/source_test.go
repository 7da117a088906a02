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

// tree reads all Go files of the module.
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

// report fails a test for each finding.
func report(t *testing.T, findings []string) {
	t.Helper()
	for _, f := range findings {
		t.Error(f)
	}
}

// find runs a check over a text as if it were a file of that name.
func find(t *testing.T, check func([]*file) []string, name, text string) []string {
	t.Helper()
	f, err := parse(name, text)
	if err != nil {
		t.Fatal(err)
	}
	return check([]*file{f})
}
