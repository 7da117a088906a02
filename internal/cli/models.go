package cli

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/value"
)

func (a *app) models() *cobra.Command {
	c := &cobra.Command{
		Use: "models", Short: "Show the models that agents can name",
		Long: "The catalogue is built in; files of the folder models in the data folder are laid over it. A model that it does not\n" +
			"list is named by provider and model, as in openai/gpt-5-mini or ollama/llama3.",
		Example: "  sre models list --provider anthropic\n  sre models show gpt-5-mini",
		Args:    arguments(0, 0, "list or show"),
	}
	c.AddCommand(a.modelsList(), a.modelsShow())
	return c
}

func (a *app) modelsList() *cobra.Command {
	var provider, feature, team string
	c := &cobra.Command{
		Use: "list", Short: "List the models", Args: arguments(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withModels(c.Context(), team, func(list []models.Model) error {
				var rows []row
				for _, m := range list {
					if provider != "" && !strings.EqualFold(m.Provider, provider) || feature != "" && !m.Has(feature) {
						continue
					}
					rows = append(rows, row{
						{"model", m.ID}, {"provider", m.Provider}, {"context", tokenText(m.ContextTokens)}, {"output", tokenText(m.OutputTokens)},
						{"price", priceText(m.Prices)}, {"features", strings.Join(m.Features, " ")},
					})
				}
				if len(rows) == 0 && !a.json {
					return a.print("no model fits")
				}
				return a.table(rows)
			})
		},
	}
	c.Flags().StringVar(&provider, "provider", "", "of one provider")
	c.Flags().StringVar(&feature, "feature", "", "with a feature, such as tools or image")
	c.Flags().StringVar(&team, "team", "default", "with the models that a team has added")
	return c
}

func (a *app) modelsShow() *cobra.Command {
	var team string
	c := &cobra.Command{
		Use: "show MODEL", Short: "Show what is known of a model", Args: arguments(1, 1, "a model"),
		RunE: func(c *cobra.Command, args []string) (err error) {
			rt, err := a.start(c.Context())
			if err != nil {
				return err
			}
			defer a.stop(rt, &err)
			as, err := access.Team(team)
			if err != nil {
				return err
			}
			m, err := rt.As(as).Models().Find(c.Context(), args[0])
			if err != nil {
				return err
			}
			return a.show(modelValue(&m))
		},
		ValidArgsFunction: func(c *cobra.Command, args []string, _ string) (ids []string, _ cobra.ShellCompDirective) {
			if len(args) == 0 {
				_ = a.withModels(c.Context(), team, func(list []models.Model) error { // without models there is nothing to complete
					for _, m := range list {
						ids = append(ids, m.ID)
					}
					return nil
				})
			}
			return ids, cobra.ShellCompDirectiveNoFileComp
		},
	}
	c.Flags().StringVar(&team, "team", "default", "with the models that a team has added")
	return c
}

// withModels calls f with the models that a team can name, by provider.
func (a *app) withModels(ctx context.Context, team string, f func([]models.Model) error) (err error) {
	rt, err := a.start(ctx)
	if err != nil {
		return err
	}
	defer a.stop(rt, &err)
	list, err := listModels(ctx, rt, team)
	if err != nil {
		return err
	}
	return f(list)
}

func listModels(ctx context.Context, rt *sre.Runtime, team string) ([]models.Model, error) {
	as, err := access.Team(team)
	if err != nil {
		return nil, err
	}
	list, err := rt.As(as).Models().List(ctx)
	if err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b models.Model) int { return strings.Compare(a.Provider, b.Provider) })
	return list, nil
}

// tokenText writes a count of tokens shortly: 128k, 1M.
func tokenText(n int) string {
	switch {
	case n == 0:
		return "?"
	case n >= 1_000_000:
		return strconv.FormatFloat(float64(n)/1e6, 'g', 2, 64) + "M"
	case n >= 1000:
		return strconv.Itoa(n/1000) + "k"
	}
	return strconv.Itoa(n)
}

// priceText writes what a million tokens in and out cost.
func priceText(p models.Prices) string {
	if !p.Known {
		return "?"
	}
	money := func(f float64) string { return "$" + strconv.FormatFloat(f, 'f', -1, 64) }
	return money(p.Input) + " / " + money(p.Output)
}

func modelValue(m *models.Model) value.Value {
	b := value.NewBuilder(16)
	b.Set("id", value.Of(m.ID)).Set("label", value.Of(m.Label)).Set("provider", value.Of(m.Provider)).Set("modelId", value.Of(m.ModelID))
	b.Set("features", value.Strings(m.Features)).Set("contextTokens", value.OfInt(m.ContextTokens)).Set("outputTokens", value.OfInt(m.OutputTokens))
	if m.Interface != "" {
		b.Set("interface", value.Of(m.Interface))
	}
	if m.BaseURL != "" {
		b.Set("baseURL", value.Of(m.BaseURL))
	}
	if m.Fallback != "" {
		b.Set("fallbackLLM", value.Of(m.Fallback))
	}
	if p := m.Prices; p.Known {
		b.Set("dollarsForAMillionTokens", value.Obj(value.M("input", value.OfNumber(p.Input)), value.M("cacheRead", value.OfNumber(p.CacheRead)),
			value.M("cacheWrite", value.OfNumber(p.CacheWrite)), value.M("output", value.OfNumber(p.Output))))
	}
	return b.Build()
}
