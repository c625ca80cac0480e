// One Elasticsearch node in this JVM.  Arguments: its settings as NAME=VALUE,
// and config=FOLDER.  Prints "READY URL" once it answers; SIGTERM closes it.
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.env.Environment;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

public final class Main {
    public static void main(String[] args) throws Exception {
        LogConfigurator.configureESLogging();
        Settings.Builder settings = Settings.builder();
        Path config = null;
        for (String arg : args) {
            String[] pair = arg.split("=", 2);
            if (pair[0].equals("config")) {
                config = Path.of(pair[1]);
            } else {
                settings.put(pair[0], pair[1]);
            }
        }
        Environment environment = InternalSettingsPreparer.prepareEnvironment(
            settings.build(), Map.of(), config, () -> "e2e-0");
        PluginsLoader loader = PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(environment.modulesDir()),
            PluginsLoader.loadPluginsBundles(environment.pluginsDir()),
            Map.of(), false);
        Node node = new Node(environment, loader);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.close();
                node.awaitClose(20, TimeUnit.SECONDS);
            } catch (Exception e) {
                e.printStackTrace();
            }
        }));
        try {
            node.start();
        } catch (Throwable t) { // the port is taken, for example
            t.printStackTrace();
            System.exit(1);
        }
        TimeValue limit = TimeValue.timeValueSeconds(60);
        node.client().admin().cluster().prepareHealth(limit)
            .setWaitForYellowStatus().setTimeout(limit).get();
        int port = node.injector().getInstance(HttpServerTransport.class)
            .boundAddress().publishAddress().getPort();
        System.out.println("READY http://127.0.0.1:" + port);
        System.out.flush();
        Thread.currentThread().join();
    }
}
