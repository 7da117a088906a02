package sre

import (
	"net/http"
	"path/filepath"

	"github.com/sre-go/sre/event"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/internal/egress"
	"github.com/sre-go/sre/internal/hop"
	"github.com/sre-go/sre/internal/kernel"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/value"
)

// dataFolder is the name of the folder in which a runtime keeps its data and finds its configuration.
const dataFolder = ".smyth"

// locate finds the data folder: the one that $SMYTH_PATH names, that of the working folder, that of the nearest folder
// above it with a package.json, or that of the home folder. It need not exist: what writes to it makes it.
func (o *options) locate() error {
	if o.dir != "" {
		return nil
	}
	if o.dir = o.getenv("SMYTH_PATH"); o.dir != "" {
		return nil
	}
	var places []string
	if o.work != "" {
		places = append(places, o.work)
		for dir := filepath.Dir(o.work); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			if disk.IsFile(filepath.Join(dir, "package.json")) {
				places = append(places, dir)
				break
			}
		}
	}
	if o.home != "" {
		places = append(places, o.home)
	}
	for _, p := range places {
		if dir := filepath.Join(p, dataFolder); disk.IsFolder(dir) {
			o.dir = dir
			return nil
		}
	}
	if len(places) > 0 {
		o.dir = filepath.Join(places[0], dataFolder)
	}
	return nil
}

// configuration lays the layers over each other: defaults, the home folder, the data folder, the environment, code.
func (o *options) configuration(set Set) (kernel.Config, error) {
	layers := []kernel.Layer{{Origin: "defaults", Value: o.defaults(set)}}
	home := ""
	if o.home != "" {
		home = filepath.Join(o.home, dataFolder)
	}
	for _, dir := range []string{home, o.dir} {
		if dir == "" || dir == home && dir == o.dir && len(layers) > 1 {
			continue
		}
		l, err := kernel.File(dir, o.getenv)
		if err != nil {
			return kernel.Config{}, err
		}
		layers = append(layers, l)
	}
	var services []string
	for _, k := range set.Kinds {
		services = append(services, k.KindName())
	}
	layers = append(layers, kernel.Environment(o.getenv, services), kernel.Layer{Origin: "code", Value: o.config})
	return kernel.Merge(layers)
}

// preferred are the connectors that services have when nothing else is configured, with their settings.
func (o *options) preferred(linked map[string]bool) value.Value {
	// What is remembered outlives the program, where the database is linked in and there is a folder for it.
	lasting := func(kind, otherwise string) string {
		if o.dir != "" && linked[kind+"/SQLite"] {
			return "SQLite"
		}
		return otherwise
	}
	nkv := lasting("NKV", "RAM")
	if o.dir != "" && disk.IsFolder(filepath.Join(o.dir, "nkv")) { // of the TypeScript runtime, which keeps files there
		nkv = "LocalStorage"
	}
	connector := func(name string, settings ...value.Member) value.Value {
		return value.Obj(value.M("Connector", value.Of(name)), value.M("Settings", value.Obj(settings...)))
	}
	account := connector("DummyAccount")
	if disk.IsFile(filepath.Join(o.dir, "account.json")) {
		account = connector("JSONFileAccount")
	}
	jobs := value.Value{} // without a folder there is no place for them
	if o.dir != "" {
		jobs = connector("LocalScheduler")
	}
	route := connector("NullRouter")
	if o.publicURL != "" && linked["Router/HTTPRouter"] {
		route = connector("HTTPRouter", value.M("baseUrl", value.Of(o.publicURL)))
	}
	vault := "JSONFileVault"
	for _, name := range []string{"vault.age", "vault.key"} { // either: a lost vault is no empty one
		if disk.IsFile(filepath.Join(o.dir, name)) {
			vault = "EncryptedFileVault"
		}
	}
	return value.Obj(
		value.M("Account", account),
		value.M("Vault", connector(vault, value.M("operatorTeams", value.Strings([]string{"default"})))),
		value.M("ManagedVault", connector("SQLiteManagedVault")),
		value.M("Storage", connector("LocalStorage")),
		value.M("Cache", connector(lasting("Cache", "RAM"))),
		value.M("NKV", connector(nkv)),
		value.M("VectorDB", connector(lasting("VectorDB", "RAMVec"))),
		value.M("ModelsProvider", connector("JSONModelsProvider")),
		value.M("LLM", o.providers(connector)),
		value.M("AgentData", connector("NullAgentData")),
		value.M("Component", connector("LocalComponent")),
		value.M("Scheduler", jobs),
		value.M("Log", connector("ConsoleLog")),
		value.M("Router", route),
	)
}

// providers are the connectors of models, under the names by which models name their provider.
func (o *options) providers(connector func(string, ...value.Member) value.Value) value.Value {
	server := o.modelServer
	if server == "" {
		server = o.getenv("OPENAI_COMPATIBLE_BASE_URL")
	}
	var list []value.Value
	for _, name := range []string{
		"Echo", "OpenAI", "Anthropic", "GoogleAI", "VertexAI", "Bedrock", "Ollama", "Groq", "xAI", "Perplexity", "TogetherAI", "DeepSeek", "OpenRouter",
		"OpenAICompatible", "Runware",
	} {
		if name == "OpenAICompatible" && server != "" {
			list = append(list, connector(name, value.M("baseURL", value.Of(server))))
			continue
		}
		list = append(list, connector(name))
	}
	return value.OfItems(list)
}

// defaults is the weakest layer: the preferred connectors that the program is linked with.
func (o *options) defaults(set Set) value.Value {
	linked := map[string]bool{}
	for _, d := range set.Connectors {
		linked[d.Kind.KindName()+"/"+d.Name] = true
	}
	b := value.NewBuilder(len(set.Kinds))
	for _, m := range o.preferred(linked).Members() {
		if !m.Value.IsArray() {
			if linked[m.Key+"/"+m.Value.GetString("Connector")] {
				b.Set(m.Key, m.Value)
			}
			continue
		}
		var list []value.Value
		for _, it := range m.Value.Items() {
			if linked[m.Key+"/"+it.GetString("Connector")] {
				list = append(list, it)
			}
		}
		if len(list) > 0 {
			b.Set(m.Key, value.OfItems(list))
		}
	}
	return value.Obj(value.M("services", b.Build()))
}

// client returns the way out with the configured egress policy. What it refuses is told on the bus.
func (o *options) client(c kernel.Config, events *event.Bus, hops *hop.Key) (*http.Client, error) {
	if o.http != nil {
		return o.http, nil
	}
	return egress.FromConfig(c.Egress.Value, c.Limits, egress.WithEvents(events), egress.WithHop(hops))
}

// compatibility is the section of the configuration that switches on behaviour of the TypeScript runtime.
type compatibility struct {
	CountCalls bool `json:"countCalls" doc:"Count the calls of each component against the circular limit, instead of how often a path comes back to it."`
}

// Compatibility returns the schema of the section, for reference pages.
func Compatibility() schema.Object { return schema.For[compatibility]() }

func (o *options) compatibility(s kernel.Section) error {
	if s.Value.IsNil() {
		return nil
	}
	if err := Compatibility().CheckStrict(s.Value); err != nil {
		return &fault.Error{Op: "config", Resource: "compatibility in " + s.Origin, Kind: fault.Invalid, Err: err}
	}
	c, err := schema.Decode[compatibility](Compatibility(), s.Value)
	o.perComponent = o.perComponent || c.CountCalls
	return err
}
