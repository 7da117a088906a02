package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// checkVariables finds package variables that can change, and writes to those that must not. Allowed by kind are blank
// checks of interfaces, errors, compiled expressions, definitions, embedded files, and tables of plain values.
func checkVariables(files []*file) []string {
	var findings []string
	vars := map[string]map[string]*ast.ValueSpec{} // package -> name -> declaration
	for _, f := range files {
		if f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			gen, ok := d.(*ast.GenDecl)
			if !ok || gen.Tok != token.VAR {
				continue
			}
			for _, s := range gen.Specs {
				spec := s.(*ast.ValueSpec)
				if spec.Names[0].Name == "_" {
					continue
				}
				if !embedded(gen.Doc) && !embedded(spec.Doc) && !fixed(spec) {
					findings = append(findings, fmt.Sprintf("%s:%d: package variable %s can change: make it a function, or a part of something", f.path, f.line(spec), spec.Names[0].Name))
				}
				if vars[f.pkg] == nil {
					vars[f.pkg] = map[string]*ast.ValueSpec{}
				}
				for _, n := range spec.Names {
					vars[f.pkg][n.Name] = spec
				}
			}
		}
	}
	for _, f := range files {
		if !f.test {
			findings = append(findings, writes(f, vars)...)
		}
	}
	return findings
}

// fixed reports whether a variable starts as something that nobody has a reason to change.
func fixed(s *ast.ValueSpec) bool {
	for _, v := range s.Values {
		if !fixedValue(v) {
			return false
		}
	}
	return len(s.Values) > 0
}

// makers are the functions whose results do not change.
func makers() []string {
	return []string{
		"New", "Newf", "Hint", "Limitf", "NotFoundf", // errors
		"MustCompile", "NewReplacer", "MustParse", "MustParsePrefix", "MustParseAddr", "NewEncoding", "WithPadding",
		"Define", "DefineWithFinish", "WithDoc", "WithCheck", "ErrorType", "TypeFor", "For",
	}
}

func fixedValue(v ast.Expr) bool {
	switch v := v.(type) {
	case *ast.CallExpr:
		return slices.Contains(makers(), callName(v.Fun))
	case *ast.UnaryExpr:
		lit, ok := v.X.(*ast.CompositeLit)
		return ok && v.Op == token.AND && fixedValue(lit)
	case *ast.CompositeLit:
		if sel, ok := v.Type.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && (x.Name == "sync" || x.Name == "atomic") {
				return false
			}
		}
		return len(v.Elts) > 0 // an empty one waits to be filled
	}
	return false
}

func callName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.Ident:
		return e.Name
	case *ast.IndexExpr:
		return callName(e.X)
	}
	return ""
}

// embedded reports whether a comment embeds a file into the variable below it.
func embedded(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed") })
}

// writes finds where a file changes package variables, those of its own package and those of others.
func writes(f *file, vars map[string]map[string]*ast.ValueSpec) []string {
	var findings []string
	imports := f.importNames()
	check := func(e ast.Expr) {
		name := ""
		switch root, sel := rootOf(e); {
		case root == nil:
		case sel != "" && !local(root) && strings.HasPrefix(imports[root.Name], module):
			pkg := strings.TrimPrefix(strings.TrimPrefix(imports[root.Name], module), "/")
			if vars[pkg][sel] != nil {
				name = root.Name + "." + sel
			}
		case ownVariable(root, vars[f.pkg]):
			name = root.Name
		}
		if name != "" {
			findings = append(findings, fmt.Sprintf("%s:%d: changes the package variable %s", f.path, f.line(e), name))
		}
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, e := range n.Lhs {
					check(e)
				}
			}
		case *ast.IncDecStmt:
			check(n.X)
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				check(n.X)
			}
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && !local(id) && (id.Name == "delete" || id.Name == "clear") && len(n.Args) > 0 {
				check(n.Args[0])
			}
		}
		return true
	})
	return findings
}

// ownVariable reports whether an identifier is one of the variables of its package, and not a local one of that name.
func ownVariable(id *ast.Ident, vars map[string]*ast.ValueSpec) bool {
	spec := vars[id.Name]
	return spec != nil && (!local(id) || declaration(id) == spec)
}

// rootOf returns the identifier that an expression such as a.b[c].d starts with, and the first name selected from it.
func rootOf(e ast.Expr) (root *ast.Ident, sel string) {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x, sel
		case *ast.SelectorExpr:
			e, sel = x.X, x.Sel.Name
		case *ast.IndexExpr:
			e, sel = x.X, ""
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil, ""
		}
	}
}

// importNames returns the paths that a file imports by the names it calls them.
func (f *file) importNames() map[string]string {
	names := map[string]string{}
	for _, s := range f.ast.Imports {
		p, _ := strconv.Unquote(s.Path.Value)
		parts := strings.Split(p, "/")
		name := parts[len(parts)-1]
		if len(parts) > 1 && len(name) > 1 && name[0] == 'v' && strings.Trim(name[1:], "0123456789") == "" {
			name = parts[len(parts)-2] // a major version
		}
		if s.Name != nil {
			name = s.Name.Name
		}
		names[name] = p
	}
	return names
}

func TestVariables_Finds(t *testing.T) {
	t.Parallel()
	const table = "package x\nvar sizes = map[string]int{\"a\": 1}\n"
	tests(t, checkVariables, []sample{
		{"number", "x/x.go", "package x\nvar count int", 1},
		{"initialised number", "x/x.go", "package x\nvar count = 1", 1},
		{"made map", "x/x.go", "package x\nvar cache = make(map[string]int)", 1},
		{"empty map", "x/x.go", "package x\nvar cache = map[string]int{}", 1},
		{"mutex", "x/x.go", "package x\nvar mu = sync.Mutex{}", 1},
		{"pointer to a map", "x/x.go", "package x\nvar all = &sync.Map{}", 1},
		{"function", "x/x.go", "package x\nvar hook = func() {}", 1},
		{"expression", "x/x.go", "package x\nvar form = regexp.MustCompile(`x`)", 0},
		{"interface check", "x/x.go", "package x\nvar _ error = (*e)(nil)", 0},
		{"error", "x/x.go", "package x\nvar ErrX = errors.New(`x`)", 0},
		{"embedded", "x/x.go", "package x\n//go:embed x.txt\nvar text string", 0},
		{"table", "x/x.go", table, 0},
		{"table of a test", "x/x_test.go", "package x\nvar seen = map[string]int{}", 0},
		{"table that is filled", "x/x.go", table + "func f() { sizes[\"b\"] = 2 }", 1},
		{"table that is emptied", "x/x.go", table + "func f() { clear(sizes) }", 1},
		{"table that is replaced", "x/x.go", table + "func f() { sizes = nil }", 1},
		{"table that is counted up", "x/x.go", table + "func f() { sizes[\"a\"]++ }", 1},
		{"table that is lent", "x/x.go", table + "func f() { g(&sizes) }", 1},
		{"a local one of the name", "x/x.go", table + "func f() { sizes := []int{1}; sizes[0] = 2 }", 0},
		{"a parameter of the name", "x/x.go", table + "func f(sizes []int) { sizes[0] = 2 }", 0},
	})
	for _, test := range []struct {
		name, text string
		want       int
	}{
		{"of another package", "package y\nimport \"github.com/sre-go/sre/x\"\nfunc f() { x.Sizes[0] = 1 }", 1},
		{"a field of a local", "package y\nimport \"github.com/sre-go/sre/x\"\nfunc f(x T) { x.Sizes[0] = 1 }", 0},
		{"a field of a result", "package y\nimport \"github.com/sre-go/sre/x\"\nfunc f() { x.New().Sizes = 1 }", 0},
	} {
		files := []*file{source(t, "x/x.go", "package x\nvar Sizes = []int{1}"), source(t, "y/y.go", test.text)}
		if got := checkVariables(files); len(got) != test.want {
			t.Errorf("%s: found %q, want %d findings", test.name, got, test.want)
		}
	}
}
