package llms

import (
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/template"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// webSearch are the settings of a search of the web by the provider.
type webSearch struct {
	UseWebSearch value.Value `json:"useWebSearch" doc:"Let the provider search the web."`
	WebSize      string      `json:"webSearchContextSize" sre:"allowEmpty,null,enum=high|medium|low" doc:"How much of what was found the model is shown."`
	WebCity      string      `json:"webSearchCity" sre:"allowEmpty,null,max=255,template" doc:"City from which to search."`
	WebCountry   string      `json:"webSearchCountry" sre:"allowEmpty,null,max=255,template" doc:"Country from which to search, as a code of two letters."`
	WebRegion    string      `json:"webSearchRegion" sre:"allowEmpty,null,max=255,template" doc:"Region from which to search."`
	WebTimezone  string      `json:"webSearchTimezone" sre:"allowEmpty,null,max=255,template" doc:"Time zone from which to search, such as Europe/Berlin."`
}

func (s *webSearch) request(in component.Input) *llm.Search {
	fill := func(text string) string {
		out, err := template.Compile(text).Expand(in.Lookup, template.Options{})
		if err != nil {
			return "" // a place that cannot be read is no place
		}
		return out
	}
	return &llm.Search{Size: s.WebSize, City: fill(s.WebCity), Country: fill(s.WebCountry), Region: fill(s.WebRegion), Timezone: fill(s.WebTimezone)}
}

// xSearch are the settings of a search by xAI: https://docs.x.ai/docs/guides/live-search.
type xSearch struct {
	UseSearch         value.Value `json:"useSearch" doc:"Let a model of xAI search."`
	SearchMode        string      `json:"searchMode" sre:"allowEmpty,null,enum=auto|on|off" doc:"Whether it searches always, never, or as it likes."`
	ReturnCitations   value.Value `json:"returnCitations" doc:"Tell where something was found."`
	MaxSearchResults  *float64    `json:"maxSearchResults" sre:"min=1,max=100" doc:"How many results it is shown at most."`
	SearchSources     value.Value `json:"searchDataSources" doc:"Where it searches, at most four of web, x, news and rss."`
	SearchCountry     string      `json:"searchCountry" sre:"allowEmpty,null,max=255" doc:"Country of the results, as a code of two letters."`
	ExcludedWebsites  string      `json:"excludedWebsites" sre:"allowEmpty,null,max=10000" doc:"Sites to leave out, with commas between them."`
	AllowedWebsites   string      `json:"allowedWebsites" sre:"allowEmpty,null,max=10000" doc:"The only sites to search."`
	IncludedXHandles  string      `json:"includedXHandles" sre:"allowEmpty,null,max=1000" doc:"The only accounts of X to search."`
	ExcludedXHandles  string      `json:"excludedXHandles" sre:"allowEmpty,null,max=1000" doc:"Accounts of X to leave out."`
	PostFavoriteCount *float64    `json:"postFavoriteCount" sre:"min=0,max=1000000000" doc:"Likes that a post has at least."`
	PostViewCount     *float64    `json:"postViewCount" sre:"min=0,max=1000000000" doc:"Views that a post has at least."`
	RSSLinks          string      `json:"rssLinks" sre:"allowEmpty,null,max=10000" doc:"Addresses of feeds, with commas between them."`
	SafeSearch        value.Value `json:"safeSearch" doc:"Leave out what is not for everybody."`
	FromDate          string      `json:"fromDate" sre:"allowEmpty,null,max=10" doc:"First day of the results, as 2026-03-01."`
	ToDate            string      `json:"toDate" sre:"allowEmpty,null,max=10" doc:"Last day of the results."`
}

// request returns the members that the interface takes besides the usual ones.
func (s *xSearch) request() value.Value {
	b := value.NewBuilder(8)
	text(b, "mode", s.SearchMode)
	if !s.ReturnCitations.IsNil() {
		b.Set("return_citations", value.OfBool(s.ReturnCitations.Truthy()))
	}
	if n := whole(s.MaxSearchResults); n > 0 {
		b.Set("max_search_results", value.OfInt(n))
	}
	text(b, "from_date", s.FromDate)
	text(b, "to_date", s.ToDate)
	var sources []value.Value
	for _, it := range s.SearchSources.Items() {
		if kind, _ := it.Str(); kind == "web" || kind == "news" || kind == "x" || kind == "rss" {
			sources = append(sources, s.source(kind))
		}
	}
	if len(sources) > 0 {
		b.Set("sources", value.OfItems(sources))
	}
	return value.Obj(value.M("search_parameters", b.Build()))
}

// source describes one of the places to search.
func (s *xSearch) source(kind string) value.Value {
	b := value.NewBuilder(6)
	b.Set("type", value.Of(kind))
	switch kind {
	case "web", "news":
		text(b, "country", s.SearchCountry)
		list(b, "excluded_websites", s.ExcludedWebsites)
		if kind == "web" {
			list(b, "allowed_websites", s.AllowedWebsites)
		}
		if !s.SafeSearch.IsNil() {
			b.Set("safe_search", value.OfBool(s.SafeSearch.Truthy()))
		}
	case "x":
		list(b, "included_x_handles", s.IncludedXHandles)
		list(b, "excluded_x_handles", s.ExcludedXHandles)
		if n := whole(s.PostFavoriteCount); n > 0 {
			b.Set("post_favorite_count", value.OfInt(n))
		}
		if n := whole(s.PostViewCount); n > 0 {
			b.Set("post_view_count", value.OfInt(n))
		}
	case "rss":
		list(b, "links", s.RSSLinks)
	}
	return b.Build()
}

func text(b *value.Builder, name, s string) {
	if s = strings.TrimSpace(s); s != "" {
		b.Set(name, value.Of(s))
	}
}

func list(b *value.Builder, name, s string) {
	if items := llm.StopTexts(value.Of(s)); len(items) > 0 {
		b.Set(name, value.Strings(items))
	}
}
