package com.matillion.agent;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;

import io.micrometer.core.instrument.MeterRegistry;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.ConfigurableApplicationContext;

/** Start, live (Life), write the truth, stop. */
@SpringBootApplication
public class AgentApplication {
    /** What Spring is told for each encoding. */
    private static final Map<String, String[]> ENCODINGS = Map.of(
        "logback", new String[] {"logging.config", "classpath:logback-text.xml"},
        "logstash", new String[] {"logging.config", "classpath:logback-logstash.xml"},
        "ecs", new String[] {"logging.structured.format.console", "ecs"},
        "spring", new String[] {"spring.output.ansi.enabled", "never"},
        "colour", new String[] {"spring.output.ansi.enabled", "always"});

    public static void main(String[] args) throws Exception {
        Map<String, String> options = options(args);
        String encoding = options.get("encoding");
        String actuator = options.get("actuator");
        if (!ENCODINGS.containsKey(encoding)) {
            System.err.println("agent: no such encoding: " + encoding);
            System.exit(2);
        }
        Truth truth = new Truth();
        System.setOut(new Output(System.out, truth).stream());

        Properties settings = new Properties();
        settings.put(ENCODINGS.get(encoding)[0], ENCODINGS.get(encoding)[1]);
        settings.put("spring.application.name", "agent");
        settings.put("spring.main.lazy-initialization", "true");
        settings.put("spring.main.banner-mode", encoding.matches("logstash|ecs") ? "off" : "console");
        settings.put("spring.jmx.enabled", "false");
        settings.put("server.port", actuator == null ? "0" : actuator);
        settings.put("management.endpoints.web.exposure.include", "info,health,prometheus");
        SpringApplication application = new SpringApplication(AgentApplication.class);
        application.setDefaultProperties(settings);
        application.setWebApplicationType(
            actuator == null ? WebApplicationType.NONE : WebApplicationType.SERVLET);
        State state = new State(truth);
        application.addInitializers(context ->
            context.getBeanFactory().registerSingleton("state", state));

        try (ConfigurableApplicationContext context = application.run()) {
            if (actuator != null) {
                serve(context, state, options);
            }
            Say say = new Say(truth, encoding);
            say.info(LoggerFactory.getLogger(AgentApplication.class), "Agent is ready",
                "version", Info.VERSION, "commit", Info.COMMIT, "build_timestamp", Info.BUILT);
            new Life(say, truth, Long.parseLong(options.get("seed")),
                Double.parseDouble(options.get("rate"))).run(Integer.parseInt(options.get("tasks")));
            say.event(LoggerFactory.getLogger(AgentApplication.class), Level.INFO, null,
                "Agent stops", null, null);
        }
        truth.write(Path.of(options.get("truth")));
    }

    /** Metrics at both places; the file --ports says where. */
    private static void serve(ConfigurableApplicationContext context, State state,
            Map<String, String> options) throws Exception {
        Metrics.actuator(context.getBean(MeterRegistry.class), context.getBean(PrometheusRegistry.class), state);
        int metrics = Metrics.serve(Integer.parseInt(options.get("metrics")), state);
        if (options.containsKey("ports")) {
            Files.writeString(Path.of(options.get("ports")), "{\"actuator\": %s, \"metrics\": %d}\n"
                .formatted(context.getEnvironment().getProperty("local.server.port"), metrics));
        }
    }

    private static Map<String, String> options(String[] args) {
        Map<String, String> options = new TreeMap<>(
            Map.of("seed", "1", "tasks", "200", "rate", "0", "encoding", "spring", "truth", "truth.json",
                "metrics", "0"));
        for (int i = 0; i + 1 < args.length; i += 2) {
            options.put(args[i].replaceFirst("^--", ""), args[i + 1]);
        }
        return options;
    }
}
