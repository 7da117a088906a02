package apispec

import (
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/untrusted"
	"github.com/sre-go/sre/value"
)

// decodeYAML reads one YAML document as a value. Aliases are followed, within the bound on values, so that a few lines
// cannot become a large document.
func decodeYAML(text []byte) (value.Value, error) {
	l := value.DefaultLimits()
	if len(text) > maxYAML {
		return value.Value{}, fault.Limitf("yaml_bytes", "LIMIT_EXCEEDED(yaml_bytes): the document has more than %d bytes", maxYAML)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return value.Value{}, fault.Newf(fault.Invalid, "it is neither JSON nor YAML: %s", untrusted.Text(err.Error(), maxTitle))
	}
	y := &yamlReader{left: maxExpanded, depth: l.Depth}
	return y.read(&root, 0)
}

// maxYAML is the size of a YAML document, in bytes: reading one takes many times that.
const maxYAML = 4 << 20

type yamlReader struct{ left, depth int }

func (y *yamlReader) read(n *yaml.Node, depth int) (value.Value, error) {
	if y.left--; y.left < 0 {
		return value.Value{}, fault.Limitf("values", "LIMIT_EXCEEDED(values): the document has more than %d values", maxExpanded)
	}
	if depth > y.depth {
		return value.Value{}, fault.Limitf("depth", "LIMIT_EXCEEDED(depth): the document is nested more than %d deep", y.depth)
	}
	switch n.Kind {
	case yaml.DocumentNode:
		if len(n.Content) == 1 {
			return y.read(n.Content[0], depth)
		}
	case yaml.AliasNode:
		return y.read(n.Alias, depth+1)
	case yaml.ScalarNode:
		return scalar(n), nil
	case yaml.SequenceNode:
		items := make([]value.Value, 0, len(n.Content))
		for _, c := range n.Content {
			v, err := y.read(c, depth+1)
			if err != nil {
				return value.Value{}, err
			}
			items = append(items, v)
		}
		return value.OfItems(items), nil
	case yaml.MappingNode:
		b := value.NewBuilder(len(n.Content) / 2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			v, err := y.read(n.Content[i+1], depth+1)
			if err != nil {
				return value.Value{}, err
			}
			b.Set(strings.Clone(n.Content[i].Value), v)
		}
		return b.Build(), nil
	}
	return value.Value{}, nil
}

func scalar(n *yaml.Node) value.Value {
	switch n.ShortTag() {
	case "!!null":
		return value.NullValue()
	case "!!bool":
		return value.OfBool(strings.EqualFold(n.Value, "true"))
	case "!!int":
		if i, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
			return value.OfNumber(float64(i))
		}
		fallthrough
	case "!!float":
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return value.OfNumber(f)
		}
	}
	return value.Of(n.Value)
}
