package schema

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// Type is what a setting holds.
type Type string

// The types, by the names JSON Schema uses; Any accepts every value.
const (
	Text    Type = "string"
	Number  Type = "number"
	Integer Type = "integer"
	Boolean Type = "boolean"
	List    Type = "array"
	Map     Type = "object"
	Any     Type = "any"
)

// Field is one setting.
type Field struct {
	Name       string
	Label      string // as messages call it; the name when there is none
	Doc        string
	Type       Type
	Required   bool
	AllowEmpty bool // a text may be ""
	AllowNull  bool
	Enum       []string // accepted texts, in the order messages list them; "" among them allows an empty one
	Min, Max   *float64 // of a number, or of the length of a text in UTF-16 units
	Pattern    string   // the expression as messages show it, with its slashes
	Default    string   // as documented and as decoded when the setting is absent
	Secret     bool
	Template   bool // the text may hold {{placeholders}} over inputs and agent variables
	Advanced   bool
	Nested     *Object // of a Map with known members

	pattern *regexp.Regexp
	index   []int
	goType  reflect.Type
	seconds bool // a time.Duration, in seconds
}

// Object is the schema of a settings struct. The zero Object has no settings.
type Object struct {
	fields []*Field
	goType reflect.Type
}

// Fields returns the settings in the order they were declared. The caller must not change them.
func (o Object) Fields() []*Field { return o.fields }

// Names returns the names of the settings in order.
func (o Object) Names() []string {
	names := make([]string, len(o.fields))
	for i, f := range o.fields {
		names[i] = f.Name
	}
	return names
}

// Field returns the setting of that name, nil when there is none.
func (o Object) Field(name string) *Field {
	for _, f := range o.fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// label is how messages call the field.
func (f *Field) label() string {
	if f.Label != "" {
		return f.Label
	}
	return f.Name
}

// For returns the schema of S, a struct. It panics on a tag it does not understand: schemas are built when
// definitions are, so a wrong tag is a failing test.
func For[S any]() Object { return forType(reflect.TypeFor[S]()) }

func forType(t reflect.Type) Object {
	if t.Kind() != reflect.Struct {
		panic("schema: " + t.String() + " is not a struct")
	}
	o := Object{goType: t}
	for _, sf := range reflect.VisibleFields(t) {
		if sf.Anonymous || !sf.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if name == "" {
			panic(fmt.Sprintf("schema: %s.%s has no json tag", t, sf.Name))
		}
		o.fields = append(o.fields, newField(t, sf, name))
	}
	return o
}

func newField(t reflect.Type, sf reflect.StructField, name string) *Field {
	f := &Field{Name: name, Doc: sf.Tag.Get("doc"), Label: sf.Tag.Get("label"), Default: sf.Tag.Get("default"), index: sf.Index, goType: sf.Type}
	f.Type, f.seconds = typeOf(t, sf)
	if f.Type == Map {
		if inner := deref(sf.Type); inner.Kind() == reflect.Struct {
			nested := forType(inner)
			f.Nested = &nested
		}
	}
	f.Secret = deref(sf.Type) == reflect.TypeFor[secret.Value]()
	for rule := range strings.SplitSeq(sf.Tag.Get("sre"), ",") {
		if rule == "" {
			continue
		}
		if err := f.rule(rule); err != nil {
			panic(fmt.Sprintf("schema: %s.%s: %v", t, sf.Name, err))
		}
	}
	return f
}

func deref(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

func typeOf(t reflect.Type, sf reflect.StructField) (typ Type, seconds bool) {
	ft := deref(sf.Type)
	switch {
	case ft == reflect.TypeFor[value.Value]():
		return Any, false
	case ft == reflect.TypeFor[secret.Value]():
		return Text, false
	case ft == reflect.TypeFor[time.Duration]():
		return Number, true
	}
	switch ft.Kind() {
	case reflect.String:
		return Text, false
	case reflect.Bool:
		return Boolean, false
	case reflect.Int, reflect.Int64:
		return Integer, false
	case reflect.Float64:
		return Number, false
	case reflect.Slice:
		return List, false
	case reflect.Struct:
		return Map, false
	}
	panic(fmt.Sprintf("schema: %s.%s has the type %s, which no setting can have", t, sf.Name, sf.Type))
}

func (f *Field) rule(rule string) error {
	key, arg, _ := strings.Cut(rule, "=")
	number := func() (*float64, error) {
		n, err := strconv.ParseFloat(arg, 64)
		return &n, err
	}
	var err error
	switch key {
	case "label":
		f.Label = arg
	case "required":
		f.Required = true
	case "allowEmpty":
		f.AllowEmpty = true
	case "null":
		f.AllowNull = true
	case "min":
		f.Min, err = number()
	case "max":
		f.Max, err = number()
	case "enum":
		f.Enum = strings.Split(arg, "|")
	case "pattern":
		p, ok := patterns[arg]
		if !ok {
			return fmt.Errorf("unknown pattern %q", arg)
		}
		f.Pattern, f.pattern = "/"+p+"/", regexp.MustCompile(p)
	case "integer":
		f.Type = Integer
	case "number":
		f.Type = Number
	case "text":
		f.Type = Text
	case "default":
		f.Default = arg
	case "secret":
		f.Secret = true
	case "template":
		f.Template = true
	case "advanced":
		f.Advanced = true
	default:
		return fmt.Errorf("unknown rule %q", key)
	}
	return err
}

// patterns are the expressions that tags can name.
var patterns = map[string]string{
	"endpoint": `^[a-zA-Z0-9_]+([-_][a-zA-Z0-9_]+)*$`,
	"dayjs":    `^[YMDHhmsSZzAa \-\/:,.]+$`,
	"date":     `^\d{4}-\d{2}-\d{2}$`,
}
